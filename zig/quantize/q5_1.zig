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
    high_bits.put(block, 4, affine.numbers(most, fit, format.columns, x));
    return fit.scale + fit.minimum;
}
