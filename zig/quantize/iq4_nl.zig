//! IQ4_NL; its bytes are drawn in ../quants/iq4_nl.zig.

const format = @import("../quants/iq4_nl.zig");
const group = @import("group.zig");
const iq4 = @import("iq4.zig");
const symmetric = @import("symmetric.zig");

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const d = symmetric.ofBlock(iq4.Levels, &iq4.targets, x);
    block.putHalf(0, d);
    iq4.put(block, 2, x, group.inverse(d));
    return d;
}
