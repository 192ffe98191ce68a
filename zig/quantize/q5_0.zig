//! Q5_0; its bytes are drawn in ../quants/q5_0.zig.

const format = @import("../quants/q5_0.zig");
const group = @import("group.zig");
const high_bits = @import("high_bits.zig");
const levels = @import("levels.zig");
const symmetric = @import("symmetric.zig");

const Levels = levels.Uniform(-16, 15);
const targets = [_]f32{
    -16.7, -16.4, -16.0, -15.6, -15.2, -14.7, -14.2, -13.5,
    14.3,  14.7,  15.0,  15.3,  15.6,  16.0,  16.3,  16.7,
};

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const d = symmetric.ofBlock(Levels, &targets, x);
    const by = group.inverse(d);
    block.putHalf(0, d);
    var numbers: high_bits.Numbers = undefined;
    for (&numbers, x) |*q, value| q.* = Levels.index(value * by);
    high_bits.put(block, 2, numbers);
    return d;
}
