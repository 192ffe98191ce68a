//! Q5_K; its bytes are drawn in ../quants/q5_k.zig.

const format = @import("../quants/q5_k.zig");
const group = @import("group.zig");
const k_scales = @import("k_scales.zig");
const simd = @import("../kernels/simd.zig");
const super_affine = @import("super_affine.zig");

const Super = super_affine.Super(.{
    .most = 31,
    .reaches = &.{
        29.9, 30.2, 30.5, 30.8, 31.1, 31.4, 31.7, 32, 32.3, 32.6,
        32.9, 33.2, 33.5, 33.9, 34.3, 34.8, 35.3, 36,
    },
    .piece = 32,
    .reach = 63,
});

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const super: Super = .of(x);
    block.putHalf(0, super.d);
    block.putHalf(2, super.e);
    k_scales.put(block, 4, super.s, super.m);
    const four: simd.I32 = @splat(15);
    for (0..32) |i| {
        var fifth: simd.I32 = @splat(0);
        inline for (0..4) |quarter| {
            const low = group.whole(super.number(x, 64 * quarter + i));
            const high = group.whole(super.number(x, 64 * quarter + i + 32));
            fifth |= low >> @splat(4) << @splat(2 * quarter);
            fifth |= high >> @splat(4) << @splat(2 * quarter + 1);
            block.put(48 + 32 * quarter + i, low & four | (high & four) << @splat(4));
        }
        block.put(16 + i, fifth);
    }
    return super.d + super.e;
}
