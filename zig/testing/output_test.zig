//! What enters the engine as a row of a table, and what leaves it as a vector.

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

test "mean and emit: any width, with and without normalising" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            for ([_]usize{ 1, 20, 48 }) |width| {
                const rows = 5;
                var numbers: Numbers = .init(width);
                const src = randomFloats(guard, &numbers, rows * width);
                const expected = guard.alloc(f32, width);
                const found = guard.alloc(f32, width);
                twin.mean(src, width, expected);
                kernels.mean(&.{ .src = src.ptr, .dst = found.ptr, .rows = rows, .width = width });
                try expectBits(expected, found);

                const dimensions = (width + 1) / 2;
                const out = guard.alloc(f32, rows * dimensions);
                var args: interface.Emit = .{
                    .src = src.ptr,
                    .src_stride = width,
                    .dst = out.ptr,
                    .rows = rows,
                    .dimensions = dimensions,
                    .normalize = true,
                };
                try testing.expect(kernels.emit(&args));
                for (0..rows) |r| {
                    const row = src[r * width ..][0..dimensions];
                    twin.normalize(row, expected[0..dimensions]);
                    try expectBits(expected[0..dimensions], out[r * dimensions ..][0..dimensions]);
                }
                args.normalize = false;
                try testing.expect(kernels.emit(&args));
                try expectBits(src[0..dimensions], out[0..dimensions]);
                src[0] = std.math.nan(f32);
                try testing.expect(!kernels.emit(&args));
                @memset(src, 0);
                args.normalize = true;
                try testing.expect(kernels.emit(&args));
                for (out) |x| try testing.expectEqual(0, x);
            }
        }
    }.case);
}

test "look_up: floats, scaled and added" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            const width = 64;
            var numbers: Numbers = .init(9);
            const values = randomFloats(guard, &numbers, width);
            const halves = guard.alloc(f16, width);
            for (values, halves) |x, *h| h.* = @floatCast(x);
            const found = guard.alloc(f32, width);
            var args: interface.LookUp = .{
                .row = @ptrCast(halves.ptr),
                .format = .f16,
                .dst = found.ptr,
                .width = width,
                .scale = 3,
                .add = false,
            };
            try testing.expect(kernels.look_up(&args));
            for (halves, found) |h, x| try testing.expectEqual(@as(f32, h) * 3, x);
            args.row = @ptrCast(values.ptr);
            args.format = .f32;
            args.add = true;
            args.scale = 1;
            try testing.expect(kernels.look_up(&args));
            for (halves, values, found) |h, v, x| {
                try testing.expectEqual(@as(f32, h) * 3 + v, x);
            }
            args.add = false;
            halves[5] = std.math.inf(f16);
            args.row = @ptrCast(halves.ptr);
            args.format = .f16;
            try testing.expect(!kernels.look_up(&args));
        }
    }.case);
}
