//! Q6_K: blocks of 256 columns, `w = d · s · (q - 32)` with a scale s for 16 columns.
//!
//!     ┌────────────────────────┬────────────────────────┬──────────────┬────────────┐
//!     │ l: 2 × 64 × 2 × 4 bits │ h: 2 × 32 × 4 × 2 bits │ s: 16 × int8 │ d: float16 │
//!     └────────────────────────┴────────────────────────┴──────────────┴────────────┘
//!
//! 210 bytes, little-endian. `q = 16 h + l`. Of 128 columns, byte i of l has column i in its low
//! half, column i + 64 in its high half; byte i of h has columns i, i + 32, i + 64, i + 96.

const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 256;
pub const bytes = 210;
pub const form: FormatId = .minimum_f32_fine;

pub inline fn read(block: *const [bytes]u8, i: usize) piece.Piece {
    const half = i / 4;
    const quarter = i % 4;
    const low = piece.bits(block[64 * half + 32 * (quarter % 2) ..][0..32].*, quarter / 2 * 4, 4);
    const high = piece.bits(block[128 + 32 * half ..][0..32].*, 2 * quarter, 2);
    const d: f32 = piece.float(block[208..210]);
    const scales: [2]i8 = @bitCast(block[192 + 2 * i ..][0..2].*);
    return .{
        .q = piece.centred(low | high << @splat(4), 32),
        .scale = .{
            d * @as(f32, @floatFromInt(scales[0])),
            d * @as(f32, @floatFromInt(scales[1])),
        },
    };
}
