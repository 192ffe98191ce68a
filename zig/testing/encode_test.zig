//! From floats to the block formats of files.

const std = @import("std");
const cases = @import("cases.zig");
const Guard = @import("guard.zig").Guard;
const interface = @import("../kernels/interface.zig");
const Numbers = @import("numbers.zig").Numbers;
const TensorType = @import("../quants/formats.zig").TensorType;

const testing = std.testing;

/// Whole groups of sixteen blocks, and some that are left over.
const block_count = 37;

/// Of all bytes of all formats, on every CPU.
const digest_of_all = 0xb1288d771ad821cf;

test "encode: every variant writes the same bytes, and reads back what is near" {
    try cases.onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            var digest: std.hash.Fnv1a_64 = .init();
            inline for (comptime std.enums.values(TensorType)) |format| {
                try caseFormat(kernels, guard, format, &digest);
            }
            try testing.expectEqual(digest_of_all, digest.final());
        }
    }.case);
}

fn caseFormat(
    kernels: *const interface.Kernels,
    guard: *Guard,
    comptime format: TensorType,
    digest: *std.hash.Fnv1a_64,
) !void {
    const columns = format.blockColumns();
    const src = guard.alloc(f32, block_count * columns);
    var numbers: Numbers = .init(@intFromEnum(format));
    numbers.floats(src);
    // All zeros, all alike, and only above zero.
    @memset(src[0..columns], 0);
    @memset(src[columns .. 2 * columns], -0.25);
    for (src[2 * columns .. 3 * columns]) |*x| x.* = @abs(x.*);
    const encoded = guard.alloc(u8, @intCast(format.rowBytes(src.len)));
    try testing.expect(kernels.encode(&.{
        .src = src.ptr,
        .format = format,
        .count = src.len,
        .dst = encoded.ptr,
    }));
    digest.update(encoded);
    const back = guard.alloc(f32, src.len);
    try testing.expect(kernels.look_up(&.{
        .row = encoded.ptr,
        .format = format,
        .dst = back.ptr,
        .width = src.len,
        .scale = 1,
        .add = false,
    }));
    var wrong: f64 = 0;
    var all: f64 = 0;
    for (src, back) |x, y| {
        wrong += (@as(f64, x) - y) * (@as(f64, x) - y);
        all += @as(f64, x) * x;
    }
    try testing.expect(@sqrt(wrong / all) < errorMost(format));
    for (back[0..columns]) |y| try testing.expectEqual(0, y);
}

/// Root of the squared error over the squares, for weights of which some are forty times as large.
fn errorMost(format: TensorType) f64 {
    return switch (format) {
        .f32 => 1e-12,
        .f16 => 3e-4,
        .bf16 => 3e-3,
        .q8_0 => 0.015,
        .q6_k => 0.04,
        .q5_1, .q5_k => 0.06,
        .q5_0, .q4_1, .q4_k, .q3_k => 0.11,
        .iq4_nl, .iq4_xs => 0.12,
        .q4_0, .q2_k => 0.15,
    };
}

test "encode: a block does not depend on its neighbours, and its bytes are no other's" {
    try cases.onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            inline for (comptime std.enums.values(TensorType)) |format| {
                const columns = format.blockColumns();
                const bytes = format.blockBytes();
                const src = guard.alloc(f32, 5 * columns);
                var numbers: Numbers = .init(7);
                numbers.floats(src);
                const together = guard.alloc(u8, 5 * bytes);
                encode(kernels, format, src, together);
                for (0..5) |i| {
                    const alone = guard.alloc(u8, bytes);
                    const block = guard.copy(f32, src[i * columns ..][0..columns]);
                    encode(kernels, format, block, alone);
                    try testing.expectEqualSlices(u8, together[i * bytes ..][0..bytes], alone);
                }
            }
        }
    }.case);
}

fn encode(
    kernels: *const interface.Kernels,
    format: TensorType,
    src: []const f32,
    dst: []u8,
) void {
    const ok = kernels.encode(&.{
        .src = src.ptr,
        .format = format,
        .count = src.len,
        .dst = dst.ptr,
    });
    std.debug.assert(ok);
}

test "encode: what is too large for a format is found in any block" {
    try cases.onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            for (std.enums.values(TensorType)) |format| {
                if (format == .f32) continue;
                const columns: usize = format.blockColumns();
                const src = guard.alloc(f32, 18 * columns);
                const dst = guard.alloc(u8, @intCast(format.rowBytes(src.len)));
                for (0..18) |block| {
                    @memset(src, 1);
                    src[block * columns] = -std.math.floatMax(f32);
                    try testing.expect(!kernels.encode(&.{
                        .src = src.ptr,
                        .format = format,
                        .count = src.len,
                        .dst = dst.ptr,
                    }));
                }
            }
        }
    }.case);
}
