//! AMX: eight registers of up to 16 rows × 64 bytes, and products of such tiles. The third of the
//! files that know instructions, beside simd.zig and simd_int8.zig. `zig/testing/model_tiles.zig`
//! does the same in plain code, for CPUs without it.

const builtin = @import("builtin");
const std = @import("std");

pub const available = builtin.cpu.arch == .x86_64 and builtin.cpu.has(.x86, .amx_int8);

pub const count = 8;
pub const rows_max = 16;
pub const row_bytes_max = 64;

/// What ldtilecfg reads: the shape of each register.
pub const Config = extern struct {
    palette: u8 = 1,
    start_row: u8 = 0,
    reserved: [14]u8 = @splat(0),
    row_bytes: [16]u16 = @splat(0),
    rows: [16]u8 = @splat(0),

    pub fn set(self: *Config, tile: u3, rows: u8, row_bytes: u16) void {
        self.rows[tile] = rows;
        self.row_bytes[tile] = row_bytes;
    }
};

comptime {
    std.debug.assert(@sizeOf(Config) == 64);
    std.debug.assert(@offsetOf(Config, "row_bytes") == 16);
    std.debug.assert(@offsetOf(Config, "rows") == 48);
}

/// The registers of this thread, from `configure` to `release`.
pub const Tiles = struct {
    pub inline fn configure(config: *const Config) Tiles {
        asm volatile ("ldtilecfg (%[config])"
            :
            : [config] "r" (config),
            : .{ .memory = true });
        return .{};
    }

    /// Until then the system saves eight kilobytes with every change of threads.
    pub inline fn release(_: *Tiles) void {
        asm volatile ("tilerelease");
    }

    pub inline fn zero(_: *Tiles, comptime tile: u3) void {
        asm volatile ("tilezero " ++ name(tile));
    }

    /// Rows are `stride` bytes apart.
    pub inline fn load(_: *Tiles, comptime tile: u3, from: [*]const u8, stride: usize) void {
        asm volatile ("tileloadd (%[from],%[stride],1), " ++ name(tile)
            :
            : [from] "r" (from),
              [stride] "r" (stride),
            : .{ .memory = true });
    }

    pub inline fn store(_: *Tiles, comptime tile: u3, to: [*]u8, stride: usize) void {
        asm volatile ("tilestored " ++ name(tile) ++ ", (%[to],%[stride],1)"
            :
            : [to] "r" (to),
              [stride] "r" (stride),
            : .{ .memory = true });
    }

    /// `sums[m][n] += Σ_k left[m][k] · right[k / 4][4 n + k % 4]`, of signed bytes in int32.
    pub inline fn dot(
        _: *Tiles,
        comptime sums: u3,
        comptime left: u3,
        comptime right: u3,
    ) void {
        asm volatile ("tdpbssd " ++ name(right) ++ ", " ++ name(left) ++ ", " ++ name(sums));
    }

    fn name(comptime tile: u3) []const u8 {
        return std.fmt.comptimePrint("%%tmm{d}", .{tile});
    }
};

/// Whether a product comes out right. Where the CPU or the system only pretends, it dies.
pub fn works() callconv(.c) bool {
    var left: [rows_max][row_bytes_max]i8 align(64) = undefined;
    var right: [rows_max][row_bytes_max]i8 align(64) = undefined;
    for (&left, &right, 0..) |*a, *b, row| for (a, b, 0..) |*x, *y, i| {
        x.* = @bitCast(@as(u8, @truncate(row * 37 + i * 11)));
        y.* = @bitCast(@as(u8, @truncate(row * 53 + i * 29)));
    };
    var config: Config = .{};
    for (0..3) |tile| config.set(@intCast(tile), rows_max, row_bytes_max);
    var found: [rows_max][row_bytes_max / 4]i32 align(64) = undefined;
    var tiles: Tiles = .configure(&config);
    tiles.zero(0);
    tiles.load(1, @ptrCast(&left), row_bytes_max);
    tiles.load(2, @ptrCast(&right), row_bytes_max);
    tiles.dot(0, 1, 2);
    tiles.store(0, @ptrCast(&found), row_bytes_max);
    tiles.release();
    for (found, left) |row, a| for (row, 0..) |sum, n| {
        var expected: i32 = 0;
        for (a, 0..) |x, k| expected += @as(i32, x) * right[k / 4][4 * n + k % 4];
        if (sum != expected) return false;
    };
    return true;
}
