//! Rows of embedding tables, dequantised as they are looked up.

const std = @import("std");
const interface = @import("interface.zig");
const piece = @import("../quants/piece.zig");
const rescale = @import("rescale.zig");
const simd = @import("simd.zig");
const vectors = @import("vectors.zig");

const Args = interface.LookUp;
const lanes = simd.lanes;
const F32 = simd.F32;

pub fn lookUp(args: *const Args) callconv(.c) bool {
    return switch (args.format) {
        .f32 => eachColumn(f32, args),
        .f16 => eachColumn(f16, args),
        .bf16 => eachColumn(u16, args),
        inline else => |format| eachBlock(format.Block().?, args),
    };
}

inline fn eachColumn(comptime T: type, args: *const Args) bool {
    var row: Row(T) = .{ .args = args };
    vectors.each(args.width, &row, Row(T).step);
    return simd.isFinite(simd.maxMagnitudes(1, .{row.largest})[0]);
}

/// A row of floats; BF16 as the upper halves of float32.
fn Row(comptime T: type) type {
    return struct {
        args: *const Args,
        largest: F32 = simd.splat(0),

        inline fn step(self: *@This(), i: usize, n: usize) void {
            var stored: [lanes]T = @splat(0);
            const bytes = self.args.row[i * @sizeOf(T) ..][0 .. n * @sizeOf(T)];
            @memcpy(std.mem.sliceAsBytes(stored[0..n]), bytes);
            const v: @Vector(lanes, T) = stored;
            const value: F32 = switch (T) {
                f32, f16 => v,
                u16 => @bitCast(@as(@Vector(lanes, u32), v) << @splat(16)),
                else => comptime unreachable,
            };
            self.largest = simd.largerMagnitude(self.largest, value);
            put(self.args, i, n, value);
        }
    };
}

inline fn eachBlock(comptime Block: type, args: *const Args) bool {
    var largest: F32 = simd.splat(0);
    for (0..args.width / piece.columns) |p| {
        const values = rescale.dequantized(piece.of(Block, args.row, p));
        inline for (values, 0..) |value, half| {
            largest = simd.largerMagnitude(largest, value);
            put(args, p * piece.columns + half * lanes, lanes, value);
        }
    }
    return simd.isFinite(simd.maxMagnitudes(1, .{largest})[0]);
}

inline fn put(args: *const Args, i: usize, n: usize, value: F32) void {
    const scaled = value * simd.splat(args.scale);
    const sum = if (args.add) vectors.loadUpTo(args.dst + i, n) + scaled else scaled;
    vectors.storeUpTo(args.dst + i, sum, n);
}
