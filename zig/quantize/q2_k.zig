//! Q2_K; its bytes are drawn in ../quants/q2_k.zig.

const format = @import("../quants/q2_k.zig");
const group = @import("group.zig");
const simd = @import("../kernels/simd.zig");
const super_affine = @import("super_affine.zig");

const Super = super_affine.Super(.{
    .most = 3,
    .reaches = &.{
        2.2, 2.4, 2.6, 2.75, 2.9, 3.05, 3.2, 3.35, 3.5, 3.65,
        3.8, 4,   4.2, 4.4,  4.6, 4.9,  5.2, 5.6,
    },
    .piece = 16,
    .reach = 15,
});

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const super: Super = .of(x);
    for (super.s, super.m, 0..) |s, m, i| {
        block.put(i, group.whole(s) | group.whole(m) << @splat(4));
    }
    for (0..2) |half| for (0..32) |i| {
        var four: simd.I32 = @splat(0);
        inline for (0..4) |k| {
            four |= group.whole(super.number(x, 128 * half + 32 * k + i)) << @splat(2 * k);
        }
        block.put(16 + 32 * half + i, four);
    };
    block.putHalf(80, super.d);
    block.putHalf(82, super.e);
    return super.d + super.e;
}
