//! Kernels that work row by row, against their twins.

const std = @import("std");
const cases = @import("cases.zig");
const interface = @import("../kernels/interface.zig");
const Guard = @import("guard.zig").Guard;
const Numbers = @import("numbers.zig").Numbers;
const twin = @import("twin.zig");

const testing = std.testing;
const onEachVariant = cases.onEachVariant;
const expectBits = cases.expectBits;
const randomFloats = cases.randomFloats;
const floatSink = cases.floatSink;
const QuantizedBuffer = cases.QuantizedBuffer;

test "quantize: each layout, halves to even, zero blocks" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            const layouts = [_]twin.Layout{
                .{},
                .{ .step = 16, .scale_block = 16 },
                .{ .step = 16 },
                .{ .planes = 2 },
                .{ .step = 16, .scale_block = 16, .planes = 2 },
                .{ .step = 16, .planes = 2 },
            };
            for (layouts) |layout| for ([_]usize{ 32, 96, 160, 192, 768 }) |width| {
                const rows = 3;
                var numbers: Numbers = .init(width);
                const src = randomFloats(guard, &numbers, rows * width);
                @memset(src[0..32], 0);
                // The largest number and halves: exactly between two integers.
                for (src[width..][0..32], 0..) |*x, i| x.* = @as(f32, @floatFromInt(i)) - 15.5;
                src[width] = if (layout.planes == 1) 127 else 32385;
                // Too small for 127 / max|x| to be finite.
                for (src[2 * width ..][0..32], 0..) |*x, i| x.* = if (i % 2 == 0) 1e-38 else 0;
                const expected: QuantizedBuffer = .init(guard, rows, width, layout);
                const found: QuantizedBuffer = .init(guard, rows, width, layout);
                for (0..rows) |r| {
                    twin.quantize(src[r * width ..][0..width], expected.row(r, width));
                }
                kernels.quantize(&.{
                    .src = src.ptr,
                    .dst = found.args,
                    .rows = rows,
                    .width = width,
                });
                try expected.expectEqual(found, kernels.dot_bias);
            };
        }
    }.case);
}

test "quantize: a value that is not finite shows in the scale" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            for ([_]f32{ std.math.nan(f32), -std.math.inf(f32) }) |bad| {
                const src = guard.alloc(f32, 64);
                @memset(src, 1);
                src[45] = bad;
                for ([_]usize{ 1, 2 }) |planes| {
                    const found: QuantizedBuffer = .init(guard, 1, 64, .{ .planes = planes });
                    const into = found.args;
                    kernels.quantize(&.{ .src = src.ptr, .dst = into, .rows = 1, .width = 64 });
                    try testing.expect(std.math.isFinite(found.scales[0]));
                    try testing.expect(!std.math.isFinite(found.scales[1]));
                }
            }
        }
    }.case);
}

test "rms_norm and layer_norm: any width, float, quantised or both" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            for ([_]usize{ 1, 7, 16, 100, 150, 256 }) |width| {
                const rows = 3;
                var numbers: Numbers = .init(width);
                const src = randomFloats(guard, &numbers, rows * width);
                const weight = randomFloats(guard, &numbers, width);
                const bias = randomFloats(guard, &numbers, width);
                const residual = randomFloats(guard, &numbers, rows * width);
                const expected = guard.alloc(f32, rows * width);
                const found = guard.alloc(f32, rows * width);
                const found_next = guard.alloc(f32, rows * width);
                for ([_]bool{ false, true }) |with_residual| {
                    for (0..rows) |r| {
                        const at = r * width;
                        const add = if (with_residual) residual[at..][0..width] else null;
                        const row = src[at..][0..width];
                        twin.rmsNorm(row, weight, add, 1e-6, expected[at..][0..width]);
                    }
                    kernels.rms_norm(&.{
                        .src = src.ptr,
                        .weight = weight.ptr,
                        .residual = if (with_residual) residual.ptr else null,
                        .sink = floatSink(found),
                        .next_weight = bias.ptr,
                        .next_sink = floatSink(found_next),
                        .rows = rows,
                        .width = width,
                        .eps = 1e-6,
                    });
                    try expectBits(expected, found);
                    for (0..rows) |r| {
                        const row = found[r * width ..][0..width];
                        twin.rmsNorm(row, bias, null, 1e-6, expected[r * width ..][0..width]);
                    }
                    try expectBits(expected, found_next);
                }
                for (0..rows) |r| {
                    const at = r * width;
                    const row = src[at..][0..width];
                    twin.layerNorm(row, weight, bias, 1e-12, expected[at..][0..width]);
                }
                kernels.layer_norm(&.{
                    .src = src.ptr,
                    .weight = weight.ptr,
                    .bias = bias.ptr,
                    .sink = floatSink(found),
                    .rows = rows,
                    .width = width,
                    .eps = 1e-12,
                });
                try expectBits(expected, found);
            }
        }
    }.case);
}

test "a row whose squares overflow gives no finite norm" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            const width = 32;
            const src = guard.alloc(f32, width);
            for (src, 0..) |*x, i| x.* = if (i % 2 == 0) 1e20 else -1e20;
            const ones = guard.alloc(f32, width);
            @memset(ones, 1);
            const found = guard.alloc(f32, width);
            kernels.rms_norm(&.{
                .src = src.ptr,
                .weight = ones.ptr,
                .residual = ones.ptr,
                .sink = floatSink(found),
                .next_weight = null,
                .next_sink = undefined,
                .rows = 1,
                .width = width,
                .eps = 1e-6,
            });
            for (found) |x| try testing.expect(std.math.isNan(x));
            @memset(found, 0);
            kernels.layer_norm(&.{
                .src = src.ptr,
                .weight = ones.ptr,
                .bias = ones.ptr,
                .sink = floatSink(found),
                .rows = 1,
                .width = width,
                .eps = 1e-6,
            });
            for (found) |x| try testing.expect(std.math.isNan(x));
        }
    }.case);
}

test "a sink without floats quantises what it would have stored" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            const width = 96;
            const rows = 2;
            var numbers: Numbers = .init(1);
            const src = randomFloats(guard, &numbers, rows * width);
            const weight = randomFloats(guard, &numbers, width);
            const row = guard.alloc(f32, width);
            const expected: QuantizedBuffer = .init(guard, rows, width, .{});
            const found: QuantizedBuffer = .init(guard, rows, width, .{});
            for (0..rows) |r| {
                twin.rmsNorm(src[r * width ..][0..width], weight, null, 1e-6, row);
                twin.quantize(row, expected.row(r, width));
            }
            const scratch = guard.alloc(f32, width);
            kernels.rms_norm(&.{
                .src = src.ptr,
                .weight = weight.ptr,
                .residual = null,
                .sink = .{
                    .float = null,
                    .quantized = found.args,
                    .has_quantized = true,
                    .scratch = scratch.ptr,
                },
                .next_weight = null,
                .next_sink = undefined,
                .rows = rows,
                .width = width,
                .eps = 1e-6,
            });
            try expected.expectEqual(found, kernels.dot_bias);
        }
    }.case);
}

test "activations: gated and not, and far from zero" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            const kinds = std.enums.values(interface.ActivationKind);
            for (kinds) |kind| for ([_]bool{ false, true }) |gated| {
                const width = 53;
                const rows = 2;
                const src_width: usize = if (gated) 2 * width else width;
                var numbers: Numbers = .init(@intFromEnum(kind));
                const src = randomFloats(guard, &numbers, rows * src_width);
                src[0] = 1000;
                src[1] = -1000;
                src[2] = 0;
                const expected = guard.alloc(f32, rows * width);
                const found = guard.alloc(f32, rows * width);
                for (0..rows) |r| for (0..width) |i| {
                    const y = twin.activate(kind, src[r * src_width + i]);
                    const up = if (gated) src[r * src_width + width + i] else 1;
                    expected[r * width + i] = y * up;
                };
                kernels.activation(&.{
                    .src = src.ptr,
                    .stride = src_width,
                    .up = width,
                    .sink = floatSink(found),
                    .rows = rows,
                    .columns = width,
                    .column = 0,
                    .width = width,
                    .kind = kind,
                    .gated = gated,
                });
                try expectBits(expected, found);
            };
        }
    }.case);
}

test "an activation of some columns leaves the others alone" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            const columns = 288;
            const rows = 3;
            var numbers: Numbers = .init(5);
            const expected: QuantizedBuffer = .init(guard, rows, columns, .{});
            const found: QuantizedBuffer = .init(guard, rows, columns, .{});
            const row = guard.alloc(f32, columns);
            const scratch = guard.alloc(f32, columns);
            const all = randomFloats(guard, &numbers, rows * columns);
            for (0..rows) |r| {
                for (row, all[r * columns ..][0..columns]) |*y, x| y.* = twin.activate(.silu, x);
                twin.quantize(row, expected.row(r, columns));
            }
            // Every number of blocks that are quantised in a way of their own, in any order.
            for ([_][2]usize{ .{ 192, 96 }, .{ 0, 160 }, .{ 160, 32 } }) |piece| {
                kernels.activation(&.{
                    .src = all[piece[0]..].ptr,
                    .stride = columns,
                    .up = 0,
                    .sink = .{
                        .float = null,
                        .quantized = found.args,
                        .has_quantized = true,
                        .scratch = scratch.ptr,
                    },
                    .rows = rows,
                    .columns = columns,
                    .column = piece[0],
                    .width = piece[1],
                    .kind = .silu,
                    .gated = false,
                });
            }
            try expected.expectEqual(found, kernels.dot_bias);
        }
    }.case);
}
