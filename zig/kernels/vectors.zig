//! Walking along a row, 16 elements at a time.

const simd = @import("simd.zig");
const lanes = simd.lanes;
const F32 = simd.F32;

/// Calls `step(context, i, n)` for each vector of a row: `n` elements from `i` on. All but the last
/// are whole, and know it at compile time: a loop that might meet a part spills its registers.
pub inline fn each(width: usize, context: anytype, comptime step: anytype) void {
    const whole = width / lanes * lanes;
    var i: usize = 0;
    while (i < whole) : (i += lanes) step(context, i, lanes);
    if (whole < width) step(context, whole, width - whole);
}

/// Vectors of a row that are summed side by side, so that an addition need not wait for the one
/// before it. With the lanes they make 64 sums, which one tree joins: halves onto halves.
const chains = 4;

/// The sum of a row's terms: `add(context, sum, i, n)` adds those of `n` elements from `i` on, zero
/// in the other lanes.
pub inline fn total(width: usize, context: anytype, comptime add: anytype) f32 {
    var sums: [chains]F32 = @splat(simd.splat(0));
    var i: usize = 0;
    while (i + chains * lanes <= width) : (i += chains * lanes) {
        inline for (&sums, 0..) |*sum, c| sum.* = add(context, sum.*, i + c * lanes, lanes);
    }
    inline for (&sums) |*sum| {
        if (i + lanes <= width) {
            sum.* = add(context, sum.*, i, lanes);
        } else if (i < width) {
            sum.* = add(context, sum.*, i, width - i);
        }
        i += lanes;
    }
    return simd.sum((sums[0] + sums[2]) + (sums[1] + sums[3]));
}

/// The first `n` elements, zero in the other lanes.
pub inline fn loadUpTo(p: [*]const f32, n: usize) F32 {
    return if (n == lanes) simd.load(p) else simd.loadPart(p, n);
}

pub inline fn storeUpTo(p: [*]f32, v: F32, n: usize) void {
    if (n == lanes) simd.store(p, v) else simd.storePart(p, v, n);
}

/// Zero beyond lane n.
pub inline fn firstLanes(v: F32, n: usize) F32 {
    if (n == lanes) return v;
    const part: [lanes]f32 = v;
    return simd.loadPart(&part, n);
}
