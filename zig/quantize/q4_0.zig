//! Q4_0; its bytes are drawn in ../quants/q4_0.zig.

const format = @import("../quants/q4_0.zig");
const group = @import("group.zig");
const levels = @import("levels.zig");
const symmetric = @import("symmetric.zig");

const Levels = levels.Uniform(-8, 7);
const targets = [_]f32{
    -8.8, -8.5, -8.2, -7.9, -7.6, -7.3, -7.0, -6.5, 6.3, 6.6, 6.9, 7.2, 7.5, 7.8, 8.2, 8.6,
};

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const d = symmetric.ofBlock(Levels, &targets, x);
    const by = group.inverse(d);
    block.putHalf(0, d);
    for (0..16) |i| {
        const low = Levels.index(x[i] * by);
        const high = Levels.index(x[i + 16] * by);
        block.put(2 + i, low | high << @splat(4));
    }
    return d;
}
