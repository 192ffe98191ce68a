//! The most that a variant's instructions can do when nothing holds them up: the same instructions
//! as the kernels', with all operands in registers or in the first lines of the first-level cache.
//! Measures; no part of the library.

const std = @import("std");
const simd = @import("simd.zig");
const simd_int8 = @import("simd_int8.zig");
const simd_tiles = @import("simd_tiles.zig");

const lanes = simd.lanes;
const F32 = simd.F32;
const I32 = simd.I32;

/// One CPU variant.
pub const Peak = extern struct {
    /// Does `rounds` rounds of integer dots; gives the multiply-adds that it did.
    int8: *const fn (*const Work) callconv(.c) u64,
    /// Does `rounds` rounds of float multiply-adds; gives their number.
    float: *const fn (*const Work) callconv(.c) u64,
    /// Reads all of `bytes`; gives some sum of it.
    read: *const fn (bytes: [*]const u8, length: usize) callconv(.c) u64,
};

pub const Work = extern struct {
    rounds: usize,
    /// Here the result goes, so that no compiler drops what led to it.
    result: *[lanes]f32,
};

/// Independent sums: enough of them to hide how long an instruction takes, few enough to stay in
/// registers together with what they are made from.
const Tile = struct { tokens: usize, groups: usize, floats: usize };

/// By the bytes of a register. Where a dot is several instructions, they need registers as well.
const tile: Tile = switch (std.simd.suggestVectorLength(u8).?) {
    64 => .{ .tokens = 8, .groups = 2, .floats = 16 },
    32 => .{ .tokens = if (simd_int8.weight_bias == 0) 4 else 5, .groups = 1, .floats = 6 },
    else => .{ .tokens = 4, .groups = 1, .floats = 6 },
};

/// The structure of the int8 product's inner loop, without its stream of weights. All sums stay
/// what they were: weights come in equal pairs, activations in pairs of opposite numbers.
fn int8(work: *const Work) callconv(.c) u64 {
    var activations: [tile.tokens][4]i8 = undefined;
    for (&activations, 0..) |*four, t| {
        const a: i8 = @intCast(101 - 7 * t);
        four.* = .{ a, -a, a - 50, 50 - a };
    }
    var stored: [tile.groups]simd_int8.Bytes = undefined;
    const pattern: [8]u8 = .{ 77, 77, 200, 200, 155, 155, 31, 31 };
    for (&stored) |*w| w.* = @bitCast(@as([lanes / 2][8]u8, @splat(pattern)));
    forget(&stored);
    const weights = stored;
    var sums: [tile.tokens][tile.groups]I32 = undefined;
    inline for (&sums, 0..) |*row, t| inline for (row, 0..) |*s, g| {
        s.* = @splat(@intCast(t * tile.groups + g));
    };
    for (0..work.rounds) |_| {
        forget(&activations);
        inline for (0..tile.tokens) |t| {
            inline for (0..tile.groups) |g| {
                sums[t][g] = simd_int8.dot(sums[t][g], weights[g], &activations[t]);
            }
        }
    }
    var total: I32 = @splat(0);
    inline for (sums) |row| inline for (row) |s| {
        total += s;
    };
    work.result.* = @as(F32, @floatFromInt(total));
    return work.rounds * tile.tokens * tile.groups * simd_int8.dot_multiply_adds;
}

/// Whole tiles of zeros: four sums, so that none waits for itself.
fn int8Tiles(work: *const Work) callconv(.c) u64 {
    const sums = 4;
    var config: simd_tiles.Config = .{};
    for (0..simd_tiles.count) |i| {
        config.set(@intCast(i), simd_tiles.rows_max, simd_tiles.row_bytes_max);
    }
    var tiles: simd_tiles.Tiles = .configure(&config);
    defer tiles.release();
    inline for (0..simd_tiles.count) |i| tiles.zero(i);
    for (0..work.rounds) |_| {
        inline for (0..sums) |sum| tiles.dot(sum, sums + sum % 2, sums + 2 + sum / 2);
    }
    return work.rounds * sums * simd_tiles.rows_max * lanes * simd_tiles.row_bytes_max;
}

/// Makes the compiler believe that what is behind `pointer` has changed: else it would compute
/// products that repeat but once.
inline fn forget(pointer: *const anyopaque) void {
    asm volatile (""
        :
        : [_] "r" (pointer),
        : .{ .memory = true });
}

/// The sums go to 6 and stay there.
fn float(work: *const Work) callconv(.c) u64 {
    var sums: [tile.floats]F32 = undefined;
    inline for (&sums, 0..) |*s, i| s.* = @as(F32, work.result.*) + simd.splat(@floatFromInt(i));
    const half = simd.splat(0.5);
    const three = simd.splat(3);
    for (0..work.rounds) |_| {
        inline for (&sums) |*s| s.* = simd.mulAdd(s.*, half, three);
    }
    var total: F32 = @splat(0);
    inline for (sums) |s| total += s;
    work.result.* = total;
    return work.rounds * tile.floats * lanes;
}

fn read(bytes: [*]const u8, length: usize) callconv(.c) u64 {
    const Line = @Vector(8, u64);
    const line_bytes = @sizeOf(Line);
    const width = 8;
    var sums: [width]Line = @splat(@splat(0));
    var at: usize = 0;
    while (at + width * line_bytes <= length) : (at += width * line_bytes) {
        inline for (&sums, 0..) |*s, i| {
            const line: Line = @bitCast(bytes[at + i * line_bytes ..][0..line_bytes].*);
            s.* ^= line;
        }
    }
    var total: Line = @splat(0);
    inline for (sums) |s| total ^= s;
    return @reduce(.Xor, total);
}

pub const peak: Peak = .{
    .int8 = if (simd_tiles.available) int8Tiles else int8,
    .float = float,
    .read = read,
};
