//! Q5_1: blocks of 32 columns, `w = d · q + m`.
//!
//!     ┌────────────┬────────────┬───────────────┬─────────────────────┐
//!     │ d: float16 │ m: float16 │ h: 32 × 1 bit │ l: 16 × 2 × 4 bits  │   24 bytes, little-endian
//!     └────────────┴────────────┴───────────────┴─────────────────────┘
//!
//! `q = 16 h + l`. Bit i of h is column i's; byte i of l has column i in its low half, column
//! i + 16 in its high half.

const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 32;
pub const bytes = 24;
pub const form: FormatId = .minimum_f32;

pub inline fn read(block: *const [bytes]u8, _: usize) piece.Piece {
    return .{
        .q = @bitCast(piece.nibbles(block[8..bytes]) | piece.whereSet(block[4..8], 16)),
        .scale = piece.everywhere(piece.float(block[0..2])),
        .minimum = piece.everywhere(piece.float(block[2..4])),
    };
}
