//! AMX's tiles in plain code, as Intel's manual (volume 2, LDTILECFG to TILEZERO) defines them.
//! What a CPU refuses ends the test.

const std = @import("std");
const simd_tiles = @import("../kernels/simd_tiles.zig");

const assert = std.debug.assert;
const rows_max = simd_tiles.rows_max;
const row_bytes_max = simd_tiles.row_bytes_max;

/// The same functions as `simd_tiles.Tiles`.
pub const Tiles = struct {
    config: simd_tiles.Config,
    registers: [simd_tiles.count][rows_max][row_bytes_max]u8 = @splat(@splat(@splat(0))),

    /// Configurations that were not given back.
    pub var held: usize = 0;

    pub fn configure(config: *const simd_tiles.Config) Tiles {
        assert(config.palette == 1);
        assert(config.start_row == 0);
        for (config.reserved) |byte| assert(byte == 0);
        for (config.rows, config.row_bytes, 0..) |rows, row_bytes, tile| {
            assert(rows <= rows_max and row_bytes <= row_bytes_max);
            assert((rows == 0) == (row_bytes == 0));
            assert(tile < simd_tiles.count or rows == 0);
        }
        held += 1;
        return .{ .config = config.* };
    }

    pub fn release(self: *Tiles) void {
        held -= 1;
        self.* = undefined;
    }

    pub fn zero(self: *Tiles, comptime tile: u3) void {
        assert(self.config.rows[tile] > 0);
        self.registers[tile] = @splat(@splat(0));
    }

    pub fn load(self: *Tiles, comptime tile: u3, from: [*]const u8, stride: usize) void {
        self.zero(tile);
        const row_bytes = self.config.row_bytes[tile];
        for (self.registers[tile][0..self.config.rows[tile]], 0..) |*row, i| {
            @memcpy(row[0..row_bytes], from[i * stride ..]);
        }
    }

    pub fn store(self: *Tiles, comptime tile: u3, to: [*]u8, stride: usize) void {
        assert(self.config.rows[tile] > 0);
        const row_bytes = self.config.row_bytes[tile];
        for (self.registers[tile][0..self.config.rows[tile]], 0..) |row, i| {
            @memcpy(to[i * stride ..], row[0..row_bytes]);
        }
    }

    /// `sums[m][n] += Σ_k left[m][k] · right[k / 4][4 n + k % 4]`, of signed bytes in int32.
    pub fn dot(
        self: *Tiles,
        comptime sums: u3,
        comptime left: u3,
        comptime right: u3,
    ) void {
        comptime assert(sums != left and sums != right and left != right);
        const rows = self.config.rows;
        const row_bytes = self.config.row_bytes;
        for ([_]u3{ sums, left, right }) |tile| {
            assert(rows[tile] > 0);
            assert(row_bytes[tile] % 4 == 0);
        }
        assert(row_bytes[sums] == row_bytes[right]);
        assert(rows[sums] == rows[left]);
        assert(row_bytes[left] / 4 == rows[right]);
        for (0..rows[sums]) |m| for (0..row_bytes[sums] / 4) |n| {
            const at = self.registers[sums][m][4 * n ..][0..4];
            var sum = std.mem.readInt(i32, at, .little);
            for (0..row_bytes[left]) |k| {
                const a: i32 = @as(i8, @bitCast(self.registers[left][m][k]));
                const b: i32 = @as(i8, @bitCast(self.registers[right][k / 4][4 * n + k % 4]));
                sum +%= a * b;
            }
            std.mem.writeInt(i32, at, sum, .little);
        };
    }
};
