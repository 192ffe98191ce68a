//! Q2_K: blocks of 256 columns, `w = d · s · q - e · m` with a scale s and a minimum m for 16
//! columns.
//!
//!     ┌───────────────────────┬────────────────────────┬────────────┬────────────┐
//!     │ s, m: 16 × 2 × 4 bits │ q: 2 × 32 × 4 × 2 bits │ d: float16 │ e: float16 │
//!     └───────────────────────┴────────────────────────┴────────────┴────────────┘
//!
//! 84 bytes, little-endian. s is in the low half of a byte, m in the high half. Of 128 columns,
//! byte i of q has columns i, i + 32, i + 64, i + 96.

const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 256;
pub const bytes = 84;
pub const form: FormatId = .minimum_f32_fine;

pub inline fn read(block: *const [bytes]u8, i: usize) piece.Piece {
    const d: f32 = piece.float(block[80..82]);
    const e: f32 = piece.float(block[82..84]);
    var result: piece.Piece = .{
        .q = @bitCast(piece.bits(block[16 + i / 4 * 32 ..][0..32].*, i % 4 * 2, 2)),
        .scale = undefined,
        .minimum = undefined,
    };
    inline for (&result.scale, &result.minimum, 0..) |*scale, *minimum, half| {
        const pair = block[2 * i + half];
        scale.* = d * @as(f32, @floatFromInt(pair & 15));
        minimum.* = -e * @as(f32, @floatFromInt(pair >> 4));
    }
    return result;
}
