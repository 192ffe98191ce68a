//! Q4_0: blocks of 32 columns, `w = d · (q - 8)`.
//!
//!     ┌────────────┬──────────────────────────┐
//!     │ d: float16 │ q: 16 × 2 × 4 bits       │   18 bytes, little-endian
//!     └────────────┴──────────────────────────┘
//!
//! Byte i has column i in its low half, column i + 16 in its high half.

const piece = @import("piece.zig");

pub const columns = 32;
pub const bytes = 18;
/// One float16 scale and no minimum: it is packed as it is.
pub const exact = true;

pub inline fn read(block: *const [bytes]u8, _: usize) piece.Piece {
    return .{
        .q = piece.centred(piece.nibbles(block[2..bytes]), 8),
        .scale = piece.everywhere(piece.float(block[0..2])),
    };
}
