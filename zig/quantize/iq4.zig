//! What IQ4_NL and IQ4_XS share: their levels, and the bytes of 32 numbers.

const group = @import("group.zig");
const levels = @import("levels.zig");
const numbers = @import("../quants/iq4.zig").numbers;

pub const Levels = levels.Table(numbers);

/// The levels are not symmetric: the largest weight may go to either end.
pub const targets = [_]f32{
    -140, -134, -129, -125, -121, -117, -112, -107, -102, -97, -92, -86,
    126,  121,  117,  113,  110,  106,  102,  98,   93,   88,  82,  75,
};

pub inline fn put(block: anytype, at: usize, x: *const [32]group.F32, by: group.F32) void {
    for (0..16) |i| {
        const low = Levels.index(x[i] * by);
        const high = Levels.index(x[i + 16] * by);
        block.put(at + i, low | high << @splat(4));
    }
}
