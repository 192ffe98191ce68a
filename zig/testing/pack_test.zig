//! From the file's rows to the packed form.

const std = @import("std");
const cases = @import("cases.zig");
const interface = @import("../kernels/interface.zig");
const Guard = @import("guard.zig").Guard;
const Numbers = @import("numbers.zig").Numbers;
const q8_0 = @import("../quants/q8_0.zig");

const lanes = interface.lanes;
const testing = std.testing;
const onEachVariant = cases.onEachVariant;
const packValues = cases.packValues;
const packParameters = cases.packParameters;

test "pack_q8: bytes and scales of whole and of partly filled groups" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            for ([_]usize{ 32, 96 }) |columns| {
                try caseRows(kernels, guard, columns, &.{16});
                try caseRows(kernels, guard, columns, &.{ 5, 11 });
                try caseRows(kernels, guard, columns, &.{ 15, 1 });
            }
        }
    }.case);
}

/// `parts`: rows that are packed by one call each, 16 together.
fn caseRows(
    kernels: *const interface.Kernels,
    guard: *Guard,
    columns: usize,
    parts: []const usize,
) !void {
    var numbers: Numbers = .init(columns + parts.len);
    const values = guard.alloc(i8, lanes * columns);
    for (values) |*q| q.* = numbers.int8();
    const scales = guard.alloc(f32, values.len / 32);
    for (scales) |*d| d.* = @as(f16, @floatCast(numbers.float()));
    const file = guard.alloc(u8, scales.len * q8_0.bytes);
    for (scales, 0..) |d, b| {
        putScale(file, b, @floatCast(d));
        const block: []const u8 = @ptrCast(values[b * 32 ..][0..32]);
        @memcpy(file[b * q8_0.bytes + 2 ..][0..32], block);
    }
    const row_bytes = file.len / lanes;
    var args: interface.PackQ8 = .{
        .src = file.ptr,
        .columns = columns,
        .values = guard.alloc(u8, values.len).ptr,
        .scales = guard.alloc(f16, scales.len).ptr,
        .lane = 0,
        .rows = undefined,
    };
    for (parts) |rows| {
        args.rows = rows;
        try testing.expect(kernels.pack_q8(&args));
        args.lane += rows;
        args.src += rows * row_bytes;
    }
    const expected = packValues(guard, values, columns, 1, kernels);
    const expected_scales = packParameters(f16, guard, scales, columns / 32, 1);
    try testing.expectEqualSlices(u8, expected, args.values[0..values.len]);
    const Bits = []const u16;
    try testing.expectEqualSlices(
        u16,
        @as(Bits, @ptrCast(expected_scales)),
        @as(Bits, @ptrCast(args.scales[0..scales.len])),
    );
    // Wherever a scale is not finite, it is found.
    args.src = file.ptr;
    args.lane = 0;
    args.rows = parts[0];
    for (0..parts[0] * columns / 32) |b| {
        for ([_]f16{ std.math.inf(f16), -std.math.inf(f16), std.math.nan(f16) }) |bad| {
            putScale(file, b, bad);
            try testing.expect(!kernels.pack_q8(&args));
        }
        putScale(file, b, std.math.floatMax(f16));
        try testing.expect(kernels.pack_q8(&args));
    }
}

fn putScale(file: []u8, block: usize, d: f16) void {
    std.mem.writeInt(u16, file[block * q8_0.bytes ..][0..2], @bitCast(d), .little);
}
