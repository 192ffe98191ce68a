//! Q6_K; its bytes are drawn in ../quants/q6_k.zig.

const format = @import("../quants/q6_k.zig");
const group = @import("group.zig");
const levels = @import("levels.zig");
const simd = @import("../kernels/simd.zig");
const super_symmetric = @import("super_symmetric.zig");

const Levels = levels.Uniform(-32, 31);
const Super = super_symmetric.Super(.{
    .Levels = Levels,
    .targets = &.{
        -32.7, -32.3, -31.9, -31.4, -30.9, -30.3, -29.6, -28.8,
        29.2,  29.9,  30.4,  30.8,  31.1,  31.5,  31.9,  32.3,
    },
    .piece = 16,
    .reach = 128,
});

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const super: Super = .of(x);
    var numbers: [format.columns]simd.I32 = undefined;
    for (&numbers, x, 0..) |*q, value, i| {
        q.* = Levels.index(value * group.inverse(super.scaleOf(i)));
    }
    const low: simd.I32 = @splat(15);
    for (0..2) |half| {
        const of_half = numbers[128 * half ..][0..128];
        for (0..64) |i| {
            block.put(64 * half + i, of_half[i] & low | (of_half[i + 64] & low) << @splat(4));
        }
        for (0..32) |i| {
            var high: simd.I32 = @splat(0);
            inline for (0..4) |k| high |= of_half[32 * k + i] >> @splat(4) << @splat(2 * k);
            block.put(128 + 32 * half + i, high);
        }
    }
    for (super.s, 192..) |s, at| block.put(at, group.whole(s));
    block.putHalf(208, super.d);
    return super.d;
}
