//! Block formats: read as gguf-py reads them, and packed as their twin packs them.

const std = @import("std");
const blocks = @import("blocks.zig");
const cases = @import("cases.zig");
const interface = @import("../kernels/interface.zig");
const FormatId = interface.FormatId;
const Guard = @import("guard.zig").Guard;
const Numbers = @import("numbers.zig").Numbers;
const piece = @import("../quants/piece.zig");
const rescale_twin = @import("rescale_twin.zig");
const TensorType = @import("../quants/formats.zig").TensorType;

const lanes = interface.lanes;
const testing = std.testing;
const onEachVariant = cases.onEachVariant;
const packParameters = cases.packParameters;
const packValues = cases.packValues;

test "look_up: blocks of every format as gguf-py reads them" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            var arena: std.heap.ArenaAllocator = .init(testing.allocator);
            defer arena.deinit();
            for (std.enums.values(TensorType)) |format| {
                const all = try blocks.of(arena.allocator(), format);
                try testing.expectEqual(format.float() == null, all.len > 0);
                for (all) |block| {
                    const found = guard.alloc(f32, block.values.len);
                    const args: interface.LookUp = .{
                        .row = guard.copy(u8, block.bytes).ptr,
                        .format = format,
                        .dst = found.ptr,
                        .width = block.values.len,
                        .scale = 1,
                        .add = false,
                    };
                    try testing.expect(kernels.look_up(&args));
                    try cases.expectBits(block.values, found);
                }
            }
        }
    }.case);
}

test "pack_int8: bytes and scales of whole and of partly filled groups" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            inline for (comptime std.enums.values(TensorType)) |format| {
                if (comptime format.Block() == null) continue;
                for ([_]usize{ 1, 3 }) |count| {
                    try caseRows(format, kernels, guard, count, &.{16});
                    try caseRows(format, kernels, guard, count, &.{ 5, 11 });
                    try caseRows(format, kernels, guard, count, &.{ 15, 1 });
                }
            }
        }
    }.case);
}

/// `count`: blocks of a row; `parts`: rows that are packed by one call each, 16 together.
fn caseRows(
    comptime format: TensorType,
    kernels: *const interface.Kernels,
    guard: *Guard,
    count: usize,
    parts: []const usize,
) !void {
    const Block = format.Block().?;
    const columns = count * Block.columns;
    var numbers: Numbers = .init(columns + parts.len);
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const known = try blocks.of(arena.allocator(), format);
    const file = guard.alloc(u8, lanes * count * Block.bytes);
    const values = guard.alloc(i8, lanes * columns);
    const scales = guard.alloc(f32, values.len / 32);
    for (0..lanes * count) |b| {
        const block = file[b * Block.bytes ..][0..Block.bytes];
        putBlock(known, &numbers, block);
        for (0..Block.columns / 32) |i| {
            const at = b * Block.columns / 32 + i;
            const packed_piece = rescale_twin.pack(Block.read(block, i), Block.form == .scale_f16);
            scales[at] = packed_piece.scale;
            values[at * 32 ..][0..32].* = packed_piece.values;
        }
    }
    const found_scales = guard.alloc(f16, scales.len);
    var args: interface.PackInt8 = .{
        .src = file.ptr,
        .format = format,
        .form = .scale_f16,
        .columns = columns,
        .values = guard.alloc(u8, values.len).ptr,
        .scales = found_scales.ptr,
        .minimums = null,
        .lane = 0,
        .rows = undefined,
    };
    for (parts) |rows| {
        args.rows = rows;
        try testing.expect(kernels.pack_int8(&args));
        args.lane += rows;
        args.src += rows * count * Block.bytes;
    }
    const expected = packValues(guard, values, columns, 1, kernels);
    const expected_scales = packParameters(f16, guard, scales, columns / 32, 1);
    try testing.expectEqualSlices(u8, expected, args.values[0..values.len]);
    const Bits = []const u16;
    try testing.expectEqualSlices(
        u16,
        @as(Bits, @ptrCast(expected_scales)),
        @as(Bits, @ptrCast(found_scales)),
    );
    // Wherever a scale is not finite, it is found.
    args.src = file.ptr;
    args.lane = 0;
    args.rows = parts[0];
    for (0..parts[0] * count) |b| for (halvesOf(format)) |at| {
        const half = file[b * Block.bytes + at ..][0..2];
        const before = half.*;
        for ([_]f16{ std.math.inf(f16), -std.math.inf(f16), std.math.nan(f16) }) |bad| {
            half.* = std.mem.toBytes(bad);
            try testing.expect(!kernels.pack_int8(&args));
        }
        half.* = before;
        try testing.expect(kernels.pack_int8(&args));
    };
}

test "pack_int8: a form that holds a format keeps its integers, scales and minimums" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            inline for (comptime std.enums.values(TensorType)) |format| {
                const Block = comptime format.Block() orelse continue;
                inline for (.{ .minimum_f32, .minimum_f32_fine }) |form| {
                    if (@intFromEnum(Block.form) > @intFromEnum(@as(FormatId, form))) continue;
                    try caseKept(format, form, kernels, guard);
                }
            }
        }
    }.case);
}

/// A group of rows of one block.
fn caseKept(
    comptime format: TensorType,
    comptime form: FormatId,
    kernels: *const interface.Kernels,
    guard: *Guard,
) !void {
    const Block = format.Block().?;
    const width = form.format().weight_block;
    const count = Block.columns / width;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const known = try blocks.of(arena.allocator(), format);
    const file = guard.alloc(u8, lanes * Block.bytes);
    const values = guard.alloc(i8, lanes * Block.columns);
    const scales = guard.alloc(f32, lanes * count);
    const minimums = guard.alloc(f32, lanes * count);
    for (0..lanes) |row| {
        const block = file[row * Block.bytes ..][0..Block.bytes];
        @memcpy(block, known[row % known.len].bytes);
        for (0..Block.columns) |column| {
            const read = Block.read(block, column / 32);
            values[row * Block.columns + column] = @as([32]i8, read.q)[column % 32];
            scales[row * count + column / width] = read.scale[column % 32 / 16];
            minimums[row * count + column / width] = read.minimum[column % 32 / 16];
        }
    }
    const found = guard.alloc(u8, values.len);
    const found_scales = guard.alloc(f32, scales.len);
    const found_minimums = guard.alloc(f32, minimums.len);
    const args: interface.PackInt8 = .{
        .src = file.ptr,
        .format = format,
        .form = form,
        .columns = Block.columns,
        .values = found.ptr,
        .scales = found_scales.ptr,
        .minimums = found_minimums.ptr,
        .lane = 0,
        .rows = lanes,
    };
    try testing.expect(kernels.pack_int8(&args));
    const expected = packValues(guard, values, Block.columns, 1, kernels);
    try testing.expectEqualSlices(u8, expected, found);
    try cases.expectBits(packParameters(f32, guard, scales, count, 1), found_scales);
    try cases.expectBits(packParameters(f32, guard, minimums, count, 1), found_minimums);
    for (halvesOf(format)) |at| {
        file[at..][0..2].* = std.mem.toBytes(std.math.inf(f16));
        try testing.expect(!kernels.pack_int8(&args));
        file[at..][0..2].* = known[0].bytes[at..][0..2].*;
    }
}

/// A block of the fixture, so that its scales are such as weights have, and one byte another.
fn putBlock(known: []const blocks.Block, numbers: *Numbers, into: []u8) void {
    const block = known[numbers.below(known.len)];
    @memcpy(into, block.bytes);
    const changed = numbers.below(into.len);
    for (halvesOf(block.format)) |at| if (changed == at or changed == at + 1) return;
    into[changed] = @truncate(numbers.next());
}

/// Where a block has its float16 numbers.
fn halvesOf(format: TensorType) []const usize {
    return switch (format) {
        .f32, .f16, .bf16 => unreachable,
        .q4_0, .q5_0, .q8_0, .iq4_nl, .iq4_xs => &.{0},
        .q4_1, .q5_1, .q4_k, .q5_k => &.{ 0, 2 },
        .q2_k => &.{ 80, 82 },
        .q3_k => &.{108},
        .q6_k => &.{208},
    };
}

test "an int8 and a scale are a block's values, or nearer to them than by the largest alone" {
    inline for (comptime std.enums.values(TensorType)) |format| {
        const Block = comptime format.Block() orelse continue;
        var arena: std.heap.ArenaAllocator = .init(testing.allocator);
        defer arena.deinit();
        var wrong: f64 = 0;
        var plain: f64 = 0;
        for (try blocks.of(arena.allocator(), format)) |block| {
            for (0..Block.columns / 32) |i| {
                const read = Block.read(block.bytes[0..Block.bytes], i);
                const values = block.values[32 * i ..][0..32];
                var largest: f64 = 0;
                for (values) |x| largest = @max(largest, @abs(x));
                if (largest == 0) continue;
                const packed_piece = rescale_twin.pack(read, Block.form == .scale_f16);
                for (values, packed_piece.values) |x, q| {
                    const whole = @round(x / largest * 127);
                    plain += square(whole / 127 - x / largest);
                    const back = @as(f64, packed_piece.scale) * @as(f64, @floatFromInt(q));
                    wrong += square((back - x) / largest);
                }
            }
        }
        errdefer std.debug.print("{t}: {d} of {d}\n", .{ format, wrong, plain });
        try testing.expect(wrong <= if (Block.form == .scale_f16) 0 else 0.85 * plain);
    }
}

fn square(x: f64) f64 {
    return x * x;
}
