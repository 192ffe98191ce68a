//! Q8_0: blocks of 32 columns, `w = d · q`.
//!
//!     ┌────────────┬──────────────────────────┐
//!     │ d: float16 │ q: 32 × int8             │   34 bytes, little-endian
//!     └────────────┴──────────────────────────┘

const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 32;
pub const bytes = 34;
pub const form: FormatId = .scale_f16;

pub inline fn read(block: *const [bytes]u8, _: usize) piece.Piece {
    return .{
        .q = @bitCast(block[2..bytes].*),
        .scale = piece.everywhere(piece.float(block[0..2])),
    };
}
