//! Q4_1; its bytes are drawn in ../quants/q4_1.zig.

const affine = @import("affine.zig");
const format = @import("../quants/q4_1.zig");
const group = @import("group.zig");

const most = 15;
const reaches = [_]f32{ 14.4, 14.9, 15.4, 15.9, 16.4, 16.9, 17.5, 18.2, 19 };

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const fit = affine.ofBlock(most, &reaches, x);
    block.putHalf(0, fit.scale);
    block.putHalf(2, fit.minimum);
    const numbers = affine.numbers(most, fit, format.columns, x);
    for (0..16) |i| block.put(4 + i, numbers[i] | numbers[i + 16] << @splat(4));
    return fit.scale + fit.minimum;
}
