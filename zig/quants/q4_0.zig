//! Q4_0: blocks of 32 columns, `w = d · (q - 8)`.
//!
//!     ┌────────────┬──────────────────────────┐
//!     │ d: float16 │ q: 16 × 2 × 4 bits       │   18 bytes, little-endian
//!     └────────────┴──────────────────────────┘
//!
//! Byte i has column i in its low half, column i + 16 in its high half.

const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 32;
pub const bytes = 18;
pub const form: FormatId = .scale_f16;

pub inline fn read(block: *const [bytes]u8, _: usize) piece.Piece {
    return .{
        .q = piece.centred(piece.nibbles(block[2..bytes]), 8),
        .scale = piece.everywhere(piece.float(block[0..2])),
    };
}
