//! The 32 numbers of five bits of Q5_0 and Q5_1: the fifth bits in four bytes, and then the others
//! as in the formats of four.

const simd = @import("../kernels/simd.zig");

pub const Numbers = [32]simd.I32;

pub inline fn put(block: anytype, at: usize, numbers: Numbers) void {
    for (0..4) |byte| {
        var bits: simd.I32 = @splat(0);
        inline for (0..8) |bit| bits |= numbers[8 * byte + bit] >> @splat(4) << @splat(bit);
        block.put(at + byte, bits);
    }
    const low: simd.I32 = @splat(15);
    for (0..16) |i| {
        block.put(at + 4 + i, numbers[i] & low | (numbers[i + 16] & low) << @splat(4));
    }
}
