//! Q4_1: blocks of 32 columns, `w = d · q + m`.
//!
//!     ┌────────────┬────────────┬─────────────────────┐
//!     │ d: float16 │ m: float16 │ q: 16 × 2 × 4 bits  │   20 bytes, little-endian
//!     └────────────┴────────────┴─────────────────────┘
//!
//! Byte i of q has column i in its low half, column i + 16 in its high half.

const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 32;
pub const bytes = 20;
pub const form: FormatId = .minimum_f32;

pub inline fn read(block: *const [bytes]u8, _: usize) piece.Piece {
    return .{
        .q = @bitCast(piece.nibbles(block[4..bytes])),
        .scale = piece.everywhere(piece.float(block[0..2])),
        .minimum = piece.everywhere(piece.float(block[2..4])),
    };
}
