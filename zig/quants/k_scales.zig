//! The scales and minimums of Q4_K and Q5_K: eight pairs of 6 bits in 12 bytes.
//!
//!     ┌──────────────────────┬──────────────────────┬────────────────────┐
//!     │ 4 × (2 bits, s: 6)   │ 4 × (2 bits, m: 6)   │ 4 × (m: 4, s: 4)   │
//!     └──────────────────────┴──────────────────────┴────────────────────┘
//!
//! The first four pairs are whole, in the low six bits of the first eight bytes. The last four have
//! their low halves in the last four bytes, and their high bits above those of the first four.

const Pair = struct { scale: f32, minimum: f32 };

pub inline fn pair(from: *const [12]u8, i: usize) Pair {
    if (i < 4) return .{
        .scale = @floatFromInt(from[i] & 63),
        .minimum = @floatFromInt(from[i + 4] & 63),
    };
    return .{
        .scale = @floatFromInt(from[i + 4] & 15 | from[i - 4] >> 6 << 4),
        .minimum = @floatFromInt(from[i + 4] >> 4 | from[i] >> 6 << 4),
    };
}
