//! Q5_K: blocks of 256 columns, `w = d · s · q - e · m` with a scale s and a minimum m for 32
//! columns.
//!
//!     ┌────────────┬────────────┬──────────────────────┬───────────────┬────────────────────────┐
//!     │ d: float16 │ e: float16 │ s, m: 8 × 2 × 6 bits │ h: 32 × 8 bit │ l: 4 × 32 × 2 × 4 bits │
//!     └────────────┴────────────┴──────────────────────┴───────────────┴────────────────────────┘
//!
//! 176 bytes, little-endian; k_scales.zig has s and m. `q = 16 h + l`. Of h, bit i of byte j is
//! that of column 32 i + j. Of 64 columns, byte j of l has column j in its low half, column j + 32
//! in its high half.

const k_scales = @import("k_scales.zig");
const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 256;
pub const bytes = 176;
pub const form: FormatId = .minimum_f32;

pub inline fn read(block: *const [bytes]u8, i: usize) piece.Piece {
    const pair = k_scales.pair(block[4..16], i);
    const high = piece.bits(block[16..48].*, i, 1) << @splat(4);
    return .{
        .q = @bitCast(piece.bits(block[48 + i / 2 * 32 ..][0..32].*, i % 2 * 4, 4) | high),
        .scale = piece.everywhere(pair.scale * piece.float(block[0..2])),
        .minimum = piece.everywhere(pair.minimum * -piece.float(block[2..4])),
    };
}
