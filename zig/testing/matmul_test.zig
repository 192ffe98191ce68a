//! Matrix products of int8 and of float weights, against their twins.

const std = @import("std");
const cases = @import("cases.zig");
const interface = @import("../kernels/interface.zig");
const Guard = @import("guard.zig").Guard;
const Numbers = @import("numbers.zig").Numbers;
const twin = @import("twin.zig");

const lanes = interface.lanes;
const testing = std.testing;
const onEachVariant = cases.onEachVariant;
const expectBits = cases.expectBits;
const randomFloats = cases.randomFloats;
const QuantizedBuffer = cases.QuantizedBuffer;
const packValues = cases.packValues;
const packParameters = cases.packParameters;

test "matmul_int8: every format, one plane and two, all tile edges, bias and residual" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            inline for (0..interface.FormatId.count) |id| for (1..interface.planes_max + 1) |n| {
                for ([_]usize{ 1, 2, 3, 4, 5, 9 }) |tokens| {
                    try caseInt8(@enumFromInt(id), n, kernels, guard, tokens, 48, 96);
                }
                try caseInt8(@enumFromInt(id), n, kernels, guard, 6, 37, 32);
                try caseInt8(@enumFromInt(id), n, kernels, guard, 1, 1, 64);
            };
        }
    }.case);
}

/// `kernels`: of these, the int8 products and how their weights are packed.
pub fn caseInt8(
    comptime id: interface.FormatId,
    planes: usize,
    kernels: *const interface.Kernels,
    guard: *Guard,
    tokens: usize,
    rows: usize,
    columns: usize,
) !void {
    const format = comptime id.format();
    var numbers: Numbers = .init(tokens * 1000 + rows);
    const blocks = columns / format.weight_block;
    const values = guard.alloc(i8, rows * columns);
    for (values) |*q| q.* = numbers.int8();
    @memset(values[0..@min(values.len, 32)], -128);
    const scales = guard.alloc(f32, rows * blocks);
    for (scales) |*d| d.* = @as(f16, @floatCast(@abs(numbers.float()) * 0.01));
    const minimums = randomFloats(guard, &numbers, rows * blocks);
    const weights: twin.Weights = .{
        .columns = columns,
        .block = format.weight_block,
        .values = values,
        .scales = scales,
        .minimums = if (format.minimum) minimums else null,
    };
    const groups = (rows + lanes - 1) / lanes;
    const packed_values = packValues(guard, values, columns, groups, kernels);
    const packed_scales = packParameters(format.scale, guard, scales, blocks, groups);
    const packed_minimums = packParameters(format.scale, guard, minimums, blocks, groups);

    const src_floats = randomFloats(guard, &numbers, tokens * columns);
    const step = format.step;
    const layout: twin.Layout = .{ .step = step, .scale_block = step, .planes = planes };
    const src: QuantizedBuffer = .init(guard, tokens, columns, layout);
    for (0..tokens) |t| {
        twin.quantize(src_floats[t * columns ..][0..columns], src.row(t, columns));
    }
    // All of the largest magnitude, against weights of -128: where narrow sums would saturate.
    for (0..planes) |p| @memset(src.values[p * columns ..][0..32], 127);
    for (src.corrections, 0..) |*c, s| c.* = src.correctionAt(s, kernels.dot_bias);

    const bias = randomFloats(guard, &numbers, groups * lanes);
    const residual = randomFloats(guard, &numbers, tokens * rows);
    const expected = guard.alloc(f32, tokens * rows);
    const found = guard.alloc(f32, tokens * rows);
    // With all planes, and of two with the first alone.
    for (1..planes + 1) |used| {
        for (0..tokens) |t| for (0..rows) |r| {
            const all = src.row(t, columns);
            const dot = twin.dotInt8(weights, r, if (used < planes) all.first() else all);
            expected[t * rows + r] = dot + bias[r] + residual[t * rows + r];
        };
        kernels.matmul_int8[used - 1][@intFromEnum(id)](&.{
            .values = packed_values.ptr,
            .scales = packed_scales.ptr,
            .minimums = if (format.minimum) packed_minimums.ptr else null,
            .columns = columns,
            .src = src.args,
            .tokens = tokens,
            .group_begin = 0,
            .group_end = groups,
            .follow = packed_values.ptr,
            .out = outputOf(found, rows, bias.ptr, residual.ptr),
        });
        try expectBits(expected, found);
    }
}

test "matmul_int8: activations that are not finite give such outputs, and stop nothing" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            inline for (0..interface.FormatId.count) |id| for (1..interface.planes_max + 1) |n| {
                for ([_]f32{ std.math.nan(f32), std.math.inf(f32), -std.math.inf(f32) }) |bad| {
                    try caseNotFinite(@enumFromInt(id), n, kernels, guard, bad);
                }
            };
        }
    }.case);
}

fn caseNotFinite(
    comptime id: interface.FormatId,
    planes: usize,
    kernels: *const interface.Kernels,
    guard: *Guard,
    bad: f32,
) !void {
    const format = comptime id.format();
    const columns = 64;
    const blocks = columns / format.weight_block;
    const values = guard.alloc(i8, lanes * columns);
    for (values, 0..) |*q, i| q.* = if (i % 2 == 0) -128 else 127;
    const ones = guard.alloc(f32, lanes * blocks);
    @memset(ones, 1);
    const parameters = packParameters(format.scale, guard, ones, blocks, 1);
    const packed_values = packValues(guard, values, columns, 1, kernels);
    const floats = guard.alloc(f32, columns);
    for (floats, 0..) |*x, i| x.* = if (i % 3 == 0) bad else -1;
    const layout: twin.Layout = .{
        .step = format.step,
        .scale_block = format.step,
        .planes = planes,
    };
    const src: QuantizedBuffer = .init(guard, 1, columns, layout);
    kernels.quantize(&.{ .src = floats.ptr, .dst = src.args, .rows = 1, .width = columns });
    const found = guard.alloc(f32, lanes);
    kernels.matmul_int8[planes - 1][@intFromEnum(id)](&.{
        .values = packed_values.ptr,
        .scales = parameters.ptr,
        .minimums = if (format.minimum) parameters.ptr else null,
        .columns = columns,
        .src = src.args,
        .tokens = 1,
        .group_begin = 0,
        .group_end = 1,
        .follow = packed_values.ptr,
        .out = outputOf(found, lanes, null, null),
    });
    for (found) |x| try testing.expect(!std.math.isFinite(x));
}

test "pack_float and matmul_float: F32, F16 and BF16, any shape" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            for ([_]usize{ 1, 2, 3, 4, 5, 6, 7, 13 }) |tokens| {
                try caseFloat(f32, .f32, kernels, guard, tokens, 35, 19);
                try caseFloat(f16, .f16, kernels, guard, tokens, 16, 40);
                try caseFloat(u16, .bf16, kernels, guard, tokens, 5, 33);
            }
        }
    }.case);
}

fn caseFloat(
    comptime T: type,
    id: interface.FloatId,
    kernels: *const interface.Kernels,
    guard: *Guard,
    tokens: usize,
    rows: usize,
    columns: usize,
) !void {
    var numbers: Numbers = .init(tokens + columns);
    const groups = (rows + lanes - 1) / lanes;
    const weights = randomFloats(guard, &numbers, rows * columns);
    const file = guard.alloc(T, rows * columns);
    for (weights, file) |*w, *stored| {
        switch (T) {
            f32 => stored.* = w.*,
            f16 => {
                stored.* = @floatCast(w.*);
                w.* = stored.*;
            },
            u16 => {
                stored.* = @intCast(@as(u32, @bitCast(w.*)) >> 16);
                w.* = @bitCast(@as(u32, stored.*) << 16);
            },
            else => comptime unreachable,
        }
    }
    const values = guard.alloc(T, groups * lanes * columns);
    @memset(values, 0);
    for (0..groups) |group| try testing.expect(kernels.pack_float(&.{
        .src = @ptrCast(file[group * lanes * columns ..].ptr),
        .format = id,
        .columns = columns,
        .values = values[group * lanes * columns ..].ptr,
        .lane = 0,
        .rows = @min(lanes, rows - group * lanes),
    }));

    const src = randomFloats(guard, &numbers, tokens * columns);
    const expected = guard.alloc(f32, tokens * rows);
    const found = guard.alloc(f32, tokens * rows);
    for (0..tokens) |t| for (0..rows) |r| {
        var acc: f32 = 0;
        for (0..columns) |c| {
            acc = @mulAdd(f32, weights[r * columns + c], src[t * columns + c], acc);
        }
        expected[t * rows + r] = acc;
    };
    kernels.matmul_float[@intFromEnum(id)](&.{
        .values = values.ptr,
        .columns = columns,
        .src = src.ptr,
        .tokens = tokens,
        .group_begin = 0,
        .group_end = groups,
        .out = outputOf(found, rows, null, null),
    });
    try expectBits(expected, found);

    // A NaN among the weights is found.
    @memset(std.mem.sliceAsBytes(file[file.len - 1 ..]), 0xff);
    try testing.expect(!kernels.pack_float(&.{
        .src = @ptrCast(file[(rows - 1) * columns ..].ptr),
        .format = id,
        .columns = columns,
        .values = values.ptr,
        .lane = 0,
        .rows = 1,
    }));
}

fn outputOf(
    dst: []f32,
    rows: usize,
    bias: ?[*]const f32,
    residual: ?[*]const f32,
) interface.Output {
    return .{
        .dst = dst.ptr,
        .stride = rows,
        .row_begin = 0,
        .bias = bias,
        .residual = residual,
        .rows = rows,
    };
}
