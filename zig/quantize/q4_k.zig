//! Q4_K; its bytes are drawn in ../quants/q4_k.zig.

const format = @import("../quants/q4_k.zig");
const group = @import("group.zig");
const k_scales = @import("k_scales.zig");
const super_affine = @import("super_affine.zig");

const Super = super_affine.Super(.{
    .most = 15,
    .reaches = &.{
        13.8, 14.1,  14.4, 14.65, 14.9, 15.15, 15.4, 15.65, 15.9, 16.15,
        16.4, 16.65, 16.9, 17.2,  17.5, 17.85, 18.2, 18.6,  19,   19.5,
        20,
    },
    .piece = 32,
    .reach = 63,
});

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const super: Super = .of(x);
    block.putHalf(0, super.d);
    block.putHalf(2, super.e);
    k_scales.put(block, 4, super.s, super.m);
    for (0..4) |quarter| for (0..32) |i| {
        const low = group.whole(super.number(x, 64 * quarter + i));
        const high = group.whole(super.number(x, 64 * quarter + i + 32));
        block.put(16 + 32 * quarter + i, low | high << @splat(4));
    };
    return super.d + super.e;
}
