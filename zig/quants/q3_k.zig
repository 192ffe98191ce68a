//! Q3_K: blocks of 256 columns, `w = d · (s - 32) · (q - 4)` with a scale s for 16 columns.
//!
//!     ┌───────────────┬────────────────────────┬────────────────┬────────────┐
//!     │ h: 32 × 8 bit │ l: 2 × 32 × 4 × 2 bits │ s: 16 × 6 bits │ d: float16 │
//!     └───────────────┴────────────────────────┴────────────────┴────────────┘
//!
//! 110 bytes, little-endian. `q = 4 h + l`. Of h, bit i of byte j is that of column 32 i + j. Of
//! 128 columns, byte j of l has columns j, j + 32, j + 64, j + 96. Scales 0 to 7 have their low
//! four bits in the low halves of the first eight bytes of s, scales 8 to 15 in the high halves; of
//! the last four bytes, byte i has the high two bits of scales i, i + 4, i + 8, i + 12.

const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 256;
pub const bytes = 110;
pub const form: FormatId = .minimum_f32_fine;

pub inline fn read(block: *const [bytes]u8, i: usize) piece.Piece {
    const low = piece.bits(block[32 + i / 4 * 32 ..][0..32].*, i % 4 * 2, 2);
    const high = piece.bits(block[0..32].*, i, 1) << @splat(2);
    const d: f32 = piece.float(block[108..110]);
    const scales = block[96..108];
    return .{
        .q = piece.centred(low | high, 4),
        .scale = .{ d * scaleOf(scales, 2 * i), d * scaleOf(scales, 2 * i + 1) },
    };
}

inline fn scaleOf(from: *const [12]u8, i: usize) f32 {
    const low = from[i % 8] >> @intCast(i / 8 * 4) & 15;
    const high = from[8 + i % 4] >> @intCast(i / 4 * 2) & 3;
    return @floatFromInt(@as(i32, high << 4 | low) - 32);
}
