//! The sixteen numbers that four bits mean in IQ4_NL and IQ4_XS: denser near zero, as weights are.

const piece = @import("piece.zig");

/// `kvalues_iq4nl` in `ggml-common.h`.
pub const numbers = [16]i8{
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
};

pub inline fn values(from: *const [16]u8) @Vector(piece.columns, i8) {
    const indices: [piece.columns]u8 = piece.nibbles(from);
    var result: [piece.columns]i8 = undefined;
    for (&result, indices) |*q, i| q.* = numbers[i];
    return result;
}
