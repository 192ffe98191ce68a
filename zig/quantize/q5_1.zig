//! Q5_1; its bytes are drawn in ../quants/q5_1.zig.

const affine = @import("affine.zig");
const format = @import("../quants/q5_1.zig");
const group = @import("group.zig");
const high_bits = @import("high_bits.zig");

const most = 31;
const reaches = [_]f32{ 30.2, 30.7, 31.2, 31.7, 32.2, 32.8, 33.5, 34.3, 35.2 };

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const fit = affine.ofBlock(most, &reaches, x);
    block.putHalf(0, fit.scale);
    block.putHalf(2, fit.minimum);
    const by = group.inverse(fit.scale);
    var numbers: high_bits.Numbers = undefined;
    for (&numbers, x) |*q, value| {
        q.* = group.whole(group.rounded(group.clamped((value - fit.minimum) * by, 0, most)));
    }
    high_bits.put(block, 4, numbers);
    return fit.scale + fit.minimum;
}
