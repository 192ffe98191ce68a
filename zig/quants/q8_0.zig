//! Q8_0: blocks of 32 columns, `w = d · q`.
//!
//!     ┌────────────┬──────────────────────────┐
//!     │ d: float16 │ q: 32 × int8             │   34 bytes, little-endian
//!     └────────────┴──────────────────────────┘

const piece = @import("piece.zig");

pub const columns = 32;
pub const bytes = 34;
/// One float16 scale and no minimum: it is packed as it is.
pub const exact = true;

pub inline fn read(block: *const [bytes]u8, _: usize) piece.Piece {
    return .{
        .q = @bitCast(block[2..bytes].*),
        .scale = piece.everywhere(piece.float(block[0..2])),
    };
}
