//! 32 columns of any block format as int8 with one float16 scale.
//!
//! A format with a minimum, or with a scale for 16 columns, does not fit that without rounding. But
//! its values are few: multiples of its own scale, from a minimum on. If the new scale is a whole
//! part of the old one, the multiples are exact, and only the minimum, or the other half of the
//! columns, is off by up to half of the new scale. So the largest whole parts that leave int8 room
//! are tried, sixteen of one scale or eight of each of two, and the one is taken that errs least.

const piece = @import("../quants/piece.zig");
const simd = @import("simd.zig");

const lanes = simd.lanes;
const F32 = simd.F32;
const splat = simd.splat;

/// The nearest numbers. Where one is not finite, or too large, neither is the scale.
pub fn nearest(from: piece.Piece) piece.Piece {
    const values = dequantized(from);
    const largest = simd.maxMagnitudes(1, .{simd.largerMagnitude(values[0], values[1])})[0];
    if (largest == 0) return .{ .q = @splat(0), .scale = @splat(0) };
    return rounded(values, best(.init(from.scale, largest), &values));
}

/// `scale · q + minimum`
pub inline fn dequantized(from: piece.Piece) [2]F32 {
    const q: [2]@Vector(lanes, i8) = @bitCast(from.q);
    var result: [2]F32 = undefined;
    inline for (&result, q, from.scale, from.minimum) |*values, numbers, scale, minimum| {
        values.* = simd.mulAdd(splat(scale), @floatFromInt(numbers), splat(minimum));
    }
    return result;
}

/// Scales to try, one a lane.
const Tried = struct {
    scales: @Vector(lanes, f16),
    inverses: F32,

    inline fn init(old: [2]f32, largest: f32) Tried {
        const least = splat(largest / int8_max);
        const whole = @abs(simd.halves(old[0], old[1]));
        const fewer = if (old[0] == old[1]) ascending(lanes) else ascending(lanes / 2);
        const most = @floor(splat(int8_max) * whole / splat(largest));
        const parts = most - fewer;
        // Where nothing is left of whole parts, the largest value alone decides.
        const scale = @select(f32, parts >= splat(1), whole / parts, least);
        const scales: @Vector(lanes, f16) = @floatCast(scale);
        // Rounded to a float16, a scale may be too small for the largest value.
        const small = @as(F32, scales) * splat(int8_max + 0.4) < splat(largest);
        const U16 = @Vector(lanes, u16);
        const next = @as(U16, @bitCast(scales)) + @as(U16, @intFromBool(small));
        const enough: @Vector(lanes, f16) = @bitCast(next);
        return .{ .scales = enough, .inverses = splat(1) / @as(F32, enough) };
    }
};

const int8_max = 127;

/// Lanes numbered from 0, each `n` anew.
inline fn ascending(comptime n: usize) F32 {
    comptime var result: [lanes]f32 = undefined;
    inline for (&result, 0..) |*x, i| x.* = i % n;
    return result;
}

const Scale = struct { scale: f16, inverse: f32 };

/// The scale with the least sum of squared errors; of equal ones the first.
inline fn best(tried: Tried, values: *const [2]F32) Scale {
    const scales: F32 = tried.scales;
    // Through memory, whence a single number fills all lanes of a register.
    const columns: [*]const f32 = @ptrCast(values);
    // Both halves side by side, so that an addition need not wait for the one before it.
    var errors: [2]F32 = @splat(splat(0));
    for (0..lanes) |i| {
        inline for (&errors, 0..) |*sum, half| {
            const x = splat(columns[half * lanes + i]);
            const q = wholeNumber(x, tried.inverses) - splat(simd.magic);
            const rest = simd.mulAdd(-q, scales, x);
            sum.* = simd.mulAdd(rest, rest, sum.*);
        }
    }
    const lane = simd.firstLeast(errors[0] + errors[1]);
    const all: [lanes]f16 = tried.scales;
    const inverses: [lanes]f32 = tried.inverses;
    return .{ .scale = all[lane], .inverse = inverses[lane] };
}

/// `x · inverse`, rounded, as a float to which `magic` was added.
inline fn wholeNumber(x: F32, inverse: F32) F32 {
    return simd.mulAdd(x, inverse, splat(simd.magic));
}

inline fn rounded(values: [2]F32, scale: Scale) piece.Piece {
    var result: [2]@Vector(lanes, u8) = undefined;
    inline for (&result, values) |*bytes, x| {
        const q: simd.I32 = @bitCast(wholeNumber(x, splat(scale.inverse)));
        bytes.* = @truncate(@as(@Vector(lanes, u32), @bitCast(q)));
    }
    return .{ .q = @bitCast(result), .scale = piece.everywhere(scale.scale) };
}
