//! Q3_K; its bytes are drawn in ../quants/q3_k.zig.

const format = @import("../quants/q3_k.zig");
const group = @import("group.zig");
const levels = @import("levels.zig");
const simd = @import("../kernels/simd.zig");
const super_symmetric = @import("super_symmetric.zig");

const Levels = levels.Uniform(-4, 3);
const Super = super_symmetric.Super(.{
    .Levels = Levels,
    .targets = &.{
        -5.0, -4.6, -4.3, -4.0, -3.7, -3.4, -3.1, -2.7, 2.2, 2.5, 2.8, 3.1, 3.4, 3.7, 4.0, 4.4,
    },
    .piece = 16,
    .reach = 32,
});

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const super: Super = .of(x);
    var numbers: [format.columns]simd.I32 = undefined;
    for (&numbers, x, 0..) |*q, value, i| {
        q.* = Levels.index(value * group.inverse(super.scaleOf(i)));
    }
    for (0..32) |i| {
        var high: simd.I32 = @splat(0);
        inline for (0..8) |k| high |= numbers[32 * k + i] >> @splat(2) << @splat(k);
        block.put(i, high);
    }
    for (0..2) |half| for (0..32) |i| {
        var low: simd.I32 = @splat(0);
        inline for (0..4) |k| {
            const two = numbers[128 * half + 32 * k + i] & @as(simd.I32, @splat(3));
            low |= two << @splat(2 * k);
        }
        block.put(32 + 32 * half + i, low);
    };
    putScales(block, 96, super.s);
    block.putHalf(108, super.d);
    return super.d;
}

fn putScales(block: *group.Block(format.bytes), at: usize, scales: [16]group.F32) void {
    var s: [16]simd.I32 = undefined;
    for (&s, scales) |*number, scale| number.* = group.whole(scale + simd.splat(32));
    const low: simd.I32 = @splat(15);
    for (0..8) |i| block.put(at + i, s[i] & low | (s[i + 8] & low) << @splat(4));
    for (0..4) |i| {
        var high: simd.I32 = @splat(0);
        inline for (0..4) |k| high |= s[i + 4 * k] >> @splat(4) << @splat(2 * k);
        block.put(at + 8 + i, high);
    }
}
