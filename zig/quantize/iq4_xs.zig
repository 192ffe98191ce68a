//! IQ4_XS; its bytes are drawn in ../quants/iq4_xs.zig.

const format = @import("../quants/iq4_xs.zig");
const group = @import("group.zig");
const iq4 = @import("iq4.zig");
const simd = @import("../kernels/simd.zig");
const super_symmetric = @import("super_symmetric.zig");

const Super = super_symmetric.Super(.{
    .Levels = iq4.Levels,
    .targets = &iq4.targets,
    .piece = 32,
    .reach = 32,
});

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const super: Super = .of(x);
    block.putHalf(0, super.d);
    var s: [8]simd.I32 = undefined;
    for (&s, super.s) |*number, scale| number.* = group.whole(scale + simd.splat(32));
    for (0..2) |byte| {
        var high: simd.I32 = @splat(0);
        inline for (0..4) |k| high |= s[4 * byte + k] >> @splat(4) << @splat(2 * k);
        block.put(2 + byte, high);
    }
    const low: simd.I32 = @splat(15);
    for (0..4) |i| block.put(4 + i, s[2 * i] & low | (s[2 * i + 1] & low) << @splat(4));
    for (0..8) |i| {
        iq4.put(block, 8 + 16 * i, x[32 * i ..][0..32], group.inverse(super.scaleOf(32 * i)));
    }
    return super.d;
}
