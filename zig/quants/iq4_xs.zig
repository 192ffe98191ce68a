//! IQ4_XS: blocks of 256 columns, `w = d · (s - 32) · number(q)` with a scale s for 32 columns.
//!
//!     ┌────────────┬────────────────┬────────────────┬────────────────────────┐
//!     │ d: float16 │ h: 8 × 2 bits  │ l: 8 × 4 bits  │ q: 8 × 16 × 2 × 4 bits │
//!     └────────────┴────────────────┴────────────────┴────────────────────────┘
//!
//! 136 bytes, little-endian. `s = 16 h + l`, lowest bits first. Of 32 columns, byte i has column i
//! in its low half, column i + 16 in its high half; iq4.zig has the numbers.

const std = @import("std");
const iq4 = @import("iq4.zig");
const FormatId = @import("../kernels/interface.zig").FormatId;
const piece = @import("piece.zig");

pub const columns = 256;
pub const bytes = 136;
pub const form: FormatId = .minimum_f32;

pub inline fn read(block: *const [bytes]u8, i: usize) piece.Piece {
    const high = std.mem.readInt(u16, block[2..4], .little) >> @intCast(2 * i) & 3;
    const low = std.mem.readInt(u32, block[4..8], .little) >> @intCast(4 * i) & 15;
    const scale: f32 = @floatFromInt(@as(i32, @intCast(16 * high + low)) - 32);
    return .{
        .q = iq4.values(block[8 + 16 * i ..][0..16]),
        .scale = piece.everywhere(scale * piece.float(block[0..2])),
    };
}
