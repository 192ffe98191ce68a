//! Sixteen blocks at a time, one in each lane: every block has its own scale and its own best
//! candidate, and nothing is ever summed across lanes. So a block's bytes do not depend on its
//! neighbours, nor on how wide a CPU's registers are.

const std = @import("std");
const simd = @import("../kernels/simd.zig");

pub const lanes = simd.lanes;
pub const F32 = simd.F32;
pub const Bytes = @Vector(lanes, u8);
const I32 = simd.I32;
const splat = simd.splat;

/// Columns of a block, `x[column]` holding those of all sixteen. `count` blocks lie one behind the
/// other; the others are zeros.
pub fn load(comptime columns: usize, src: [*]const f32, count: usize, x: *[columns]F32) void {
    var column: usize = 0;
    while (column < columns) : (column += lanes) {
        var rows: [lanes]F32 = undefined;
        inline for (&rows, 0..) |*row, lane| {
            row.* = if (lane < count) simd.load(src + lane * columns + column) else splat(0);
        }
        x[column..][0..lanes].* = transposed(f32, rows);
    }
}

/// The bytes of sixteen blocks, `bytes[i]` holding the i-th of each.
pub fn Block(comptime size: usize) type {
    const chunks = (size + lanes - 1) / lanes;
    return struct {
        bytes: [chunks * lanes]Bytes = @splat(@splat(0)),

        const Self = @This();

        pub inline fn put(self: *Self, at: usize, value: I32) void {
            self.bytes[at] = @truncate(@as(@Vector(lanes, u32), @bitCast(value)));
        }

        /// Float16, which `value` already is.
        pub inline fn putHalf(self: *Self, at: usize, value: F32) void {
            const bits: @Vector(lanes, u16) = @bitCast(@as(@Vector(lanes, f16), @floatCast(value)));
            self.put(at, bits);
            self.put(at + 1, bits >> @splat(8));
        }

        /// The first `count` blocks, one behind the other.
        pub fn store(self: *const Self, dst: [*]u8, count: usize) void {
            var blocks: [lanes][chunks * lanes]u8 = undefined;
            for (0..chunks) |chunk| {
                const rows = transposed(u8, self.bytes[chunk * lanes ..][0..lanes].*);
                inline for (rows, 0..) |row, lane| blocks[lane][chunk * lanes ..][0..lanes].* = row;
            }
            for (blocks[0..count], 0..) |*block, i| {
                @memcpy(dst[i * size ..][0..size], block[0..size]);
            }
        }
    };
}

/// As float16 has it, which may be infinite.
pub inline fn half(x: F32) F32 {
    return @as(@Vector(lanes, f16), @floatCast(x));
}

/// `1 / x`, and 0 for 0.
pub inline fn inverse(x: F32) F32 {
    return @select(f32, x == splat(0), splat(0), splat(1) / x);
}

pub inline fn smaller(a: F32, b: F32) F32 {
    return @select(f32, a < b, a, b);
}

pub inline fn larger(a: F32, b: F32) F32 {
    return @select(f32, a > b, a, b);
}

pub inline fn clamped(x: F32, least: f32, most: f32) F32 {
    return smaller(larger(x, splat(least)), splat(most));
}

/// To a whole number, halves to even; of what is far below 2²².
pub inline fn rounded(x: F32) F32 {
    return (x + splat(simd.magic)) - splat(simd.magic);
}

pub inline fn whole(x: F32) I32 {
    return @intFromFloat(x);
}

/// Four rounds in which rows i and i + 8 become neighbours: each turns the bits of an element's
/// place, row before column, by one.
inline fn transposed(
    comptime T: type,
    rows: [lanes]@Vector(lanes, T),
) [lanes]@Vector(lanes, T) {
    const low, const high = comptime blk: {
        var masks: [2][lanes]i32 = undefined;
        for (0..lanes) |i| {
            const from: i32 = i / 2;
            masks[0][i] = if (i % 2 == 0) from else ~from;
            masks[1][i] = if (i % 2 == 0) from + lanes / 2 else ~(from + lanes / 2);
        }
        break :blk masks;
    };
    var from = rows;
    inline for (0..4) |_| {
        var to: [lanes]@Vector(lanes, T) = undefined;
        inline for (0..lanes / 2) |i| {
            to[2 * i] = @shuffle(T, from[i], from[i + lanes / 2], low);
            to[2 * i + 1] = @shuffle(T, from[i], from[i + lanes / 2], high);
        }
        from = to;
    }
    return from;
}

test "transposing exchanges rows and columns" {
    var rows: [lanes][lanes]u8 = undefined;
    for (&rows, 0..) |*row, i| for (row, 0..) |*x, j| {
        x.* = @intCast(lanes * i + j);
    };
    var vectors: [lanes]Bytes = undefined;
    for (&vectors, rows) |*vector, row| vector.* = row;
    for (transposed(u8, vectors), 0..) |column, i| {
        const found: [lanes]u8 = column;
        for (found, 0..) |x, j| try std.testing.expectEqual(lanes * j + i, x);
    }
}
