//! From the file's rows to the packed form that the matrix products read: rows of one group of 16,
//! all of them or some.

const std = @import("std");
const interface = @import("interface.zig");
const piece = @import("../quants/piece.zig");
const rescale = @import("rescale.zig");
const simd = @import("simd.zig");
const simd_int8 = @import("simd_int8.zig");

const lanes = simd.lanes;

/// Columns of a row that lie together.
const together = simd_int8.weight_columns;

/// Rows of blocks into `[columns / together][16][together]` bytes and `[columns / 32][16]` scales.
pub fn packInt8(args: *const interface.PackInt8) callconv(.c) bool {
    return switch (args.format) {
        .f32, .f16, .bf16 => unreachable, // they are packed as floats
        inline else => |format| switch (args.form) {
            .scale_f16_fine => unreachable, // nobody asks for it
            inline else => |form| packBlocks(format.Block().?, form, args),
        },
    };
}

/// 32 columns of all rows at a time, so that it writes whole cache lines one after another.
fn packBlocks(
    comptime Block: type,
    comptime form: interface.FormatId,
    args: *const interface.PackInt8,
) bool {
    const fits = @intFromEnum(Block.form) <= @intFromEnum(form);
    if (!fits and form != .scale_f16) unreachable; // a model takes the form that holds them all
    const pitch = args.columns / Block.columns * Block.bytes;
    const bias: piece.Bytes = @splat(simd_int8.weight_bias);
    // Rows that are not there stay zeros.
    var found: [lanes]piece.Piece = @splat(.{ .q = @splat(0), .scale = @splat(0) });
    var finite = true;
    for (0..args.columns / piece.columns) |p| {
        if (!fits) {
            for (found[0..args.rows], 0..) |*row, r| {
                row.* = piece.of(Block, args.src + r * pitch, p);
            }
            rescale.nearest(&found);
        }
        var rows: [lanes]piece.Bytes = undefined;
        for (rows[0..args.rows], 0..) |*row, r| {
            const kept = if (fits) piece.of(Block, args.src + r * pitch, p) else found[r];
            finite = putScales(form, args, p, args.lane + r, kept) and finite;
            row.* = @as(piece.Bytes, @bitCast(kept.q)) +% bias;
        }
        const out = args.values + p * piece.columns * lanes;
        if (args.rows == lanes) putGroup(out, &rows) else putRows(out, args, &rows);
    }
    return finite;
}

/// The scales and minimums of a row's 32 columns. False: one is not finite.
inline fn putScales(
    comptime form: interface.FormatId,
    args: *const interface.PackInt8,
    index: usize,
    lane: usize,
    from: piece.Piece,
) bool {
    const format = comptime form.format();
    const count = piece.columns / format.weight_block;
    const scales: [*]format.scale = @ptrCast(@alignCast(args.scales));
    var finite = true;
    inline for (0..count) |half| {
        const at = (index * count + half) * lanes + lane;
        scales[at] = @floatCast(from.scale[half]);
        finite = std.math.isFinite(scales[at]) and finite;
        if (format.minimum) {
            const minimums: [*]format.scale = @ptrCast(@alignCast(args.minimums));
            minimums[at] = from.minimum[half];
            finite = std.math.isFinite(minimums[at]) and finite;
        }
    }
    return finite;
}

fn putRows(out: [*]u8, args: *const interface.PackInt8, rows: *const [lanes]piece.Bytes) void {
    for (rows[0..args.rows], args.lane..) |row, lane| {
        const bytes: [piece.columns / together][together]u8 = @bitCast(row);
        for (bytes, 0..) |some, k| out[(k * lanes + lane) * together ..][0..together].* = some;
    }
}

fn putGroup(out: [*]u8, rows: *const [lanes]piece.Bytes) void {
    const from: [*]const u8 = @ptrCast(rows);
    const to: [*]Words = @ptrCast(@alignCast(out));
    inline for (0..2) |half| {
        const words = transposed(from + half * @sizeOf(Quarter), piece.columns);
        to[half * 4 ..][0..4].* = arranged(words);
    }
}

const Quarter = @Vector(4, u32);
const Words = @Vector(lanes, u32);

/// Of 16 rows of four words: the first words of all rows, the second ones, and so on. Rows 4 i to
/// 4 i + 3 share the quarter i of the vectors, so that no word ever leaves its quarter.
inline fn transposed(src: [*]const u8, pitch: usize) [4]Words {
    var rows: [4]Words = undefined;
    inline for (&rows, 0..) |*row, i| {
        var quarters: [4]Quarter = undefined;
        inline for (&quarters, 0..) |*quarter, q| {
            quarter.* = @bitCast(src[(4 * q + i) * pitch ..][0..@sizeOf(Quarter)].*);
        }
        row.* = join(8, join(4, quarters[0], quarters[1]), join(4, quarters[2], quarters[3]));
    }
    const low = .{ .{ 0, 4, 1, 5 }, .{ 0, 1, 4, 5 } };
    const high = .{ .{ 2, 6, 3, 7 }, .{ 2, 3, 6, 7 } };
    const first = [2]Words{ zip(rows[0], rows[1], low[0]), zip(rows[0], rows[1], high[0]) };
    const last = [2]Words{ zip(rows[2], rows[3], low[0]), zip(rows[2], rows[3], high[0]) };
    return .{
        zip(first[0], last[0], low[1]),
        zip(first[0], last[0], high[1]),
        zip(first[1], last[1], low[1]),
        zip(first[1], last[1], high[1]),
    };
}

/// With eight columns together the words of two vectors take turns.
inline fn arranged(words: [4]Words) [4]Words {
    if (together == 4) return words;
    comptime var masks: [2][lanes]i32 = undefined;
    inline for (&masks, 0..) |*mask, half| inline for (mask, 0..) |*m, i| {
        const row: i32 = (half * lanes + i) / 2;
        m.* = if (i % 2 == 0) row else ~row;
    };
    var result: [4]Words = undefined;
    inline for (&result, 0..) |*word, i| {
        word.* = @shuffle(u32, words[i / 2 * 2], words[i / 2 * 2 + 1], masks[i % 2]);
    }
    return result;
}

inline fn join(comptime n: usize, a: @Vector(n, u32), b: @Vector(n, u32)) @Vector(2 * n, u32) {
    comptime var mask: [2 * n]i32 = undefined;
    inline for (0..n) |i| {
        mask[i] = i;
        mask[n + i] = ~@as(i32, i);
    }
    return @shuffle(u32, a, b, mask);
}

/// In each quarter, four of the eight words that `a` and `b` have there.
inline fn zip(a: Words, b: Words, comptime from: [4]i32) Words {
    comptime var mask: [lanes]i32 = undefined;
    inline for (0..lanes) |i| {
        const word = from[i % 4];
        const quarter: i32 = i / 4 * 4;
        mask[i] = if (word < 4) quarter + word else ~(quarter + word - 4);
    }
    return @shuffle(u32, a, b, mask);
}

/// Rows of floats into `[columns][16]` of the same format.
pub fn packFloat(args: *const interface.PackFloat) callconv(.c) bool {
    return switch (args.format) {
        .f32 => packFloats(u32, 0x7f80_0000, args),
        .f16 => packFloats(u16, 0x7c00, args),
        .bf16 => packFloats(u16, 0x7f80, args),
    };
}

/// An exponent of all ones is an infinity or a NaN.
inline fn packFloats(comptime T: type, exponent: T, args: *const interface.PackFloat) bool {
    const values: [*]T = @ptrCast(@alignCast(args.values));
    var finite = true;
    for (0..args.rows) |row| {
        const src = args.src + row * args.columns * @sizeOf(T);
        for (0..args.columns) |column| {
            const bits = std.mem.readInt(T, src[column * @sizeOf(T) ..][0..@sizeOf(T)], .little);
            finite = finite and bits & exponent != exponent;
            values[column * lanes + args.lane + row] = bits;
        }
    }
    return finite;
}
