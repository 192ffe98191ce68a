//! Q5_0: blocks of 32 columns, `w = d · (q - 16)`.
//!
//!     ┌────────────┬───────────────┬─────────────────────┐
//!     │ d: float16 │ h: 32 × 1 bit │ l: 16 × 2 × 4 bits  │   22 bytes, little-endian
//!     └────────────┴───────────────┴─────────────────────┘
//!
//! `q = 16 h + l`. Bit i of h is column i's; byte i of l has column i in its low half, column
//! i + 16 in its high half.

const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 32;
pub const bytes = 22;
pub const form: FormatId = .scale_f16;

pub inline fn read(block: *const [bytes]u8, _: usize) piece.Piece {
    const q = piece.nibbles(block[6..bytes]) | piece.whereSet(block[2..6], 16);
    return .{
        .q = piece.centred(q, 16),
        .scale = piece.everywhere(piece.float(block[0..2])),
    };
}
