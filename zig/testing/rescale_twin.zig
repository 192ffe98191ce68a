//! A piece of a block as int8 with one scale, one number at a time: `kernels/rescale.zig` must give
//! these bits.

const std = @import("std");
const piece = @import("../quants/piece.zig");

pub const Int8 = struct {
    scale: f16,
    values: [piece.columns]i8 = @splat(0),
};

pub fn pack(from: piece.Piece, exact: bool) Int8 {
    if (exact) return .{ .scale = @floatCast(from.scale[0]), .values = from.q };
    var values: [piece.columns]f32 = undefined;
    const numbers: [piece.columns]i8 = from.q;
    var largest: f32 = 0;
    for (&values, numbers, 0..) |*x, q, i| {
        x.* = @mulAdd(f32, from.scale[i / 16], @floatFromInt(q), from.minimum[i / 16]);
        largest = @max(largest, @abs(x.*));
    }
    if (largest == 0) return .{ .scale = 0 };
    var best: Int8 = undefined;
    var least = std.math.inf(f32);
    for (0..16) |lane| {
        const fewer = if (from.scale[0] == from.scale[1]) lane else lane % 8;
        const scale = wholePart(@abs(from.scale[lane / 8]), largest, fewer);
        var tried: Int8 = .{ .scale = scale };
        var sums: [2]f32 = @splat(0);
        for (values, &tried.values, 0..) |x, *number, i| {
            const q = wholeNumber(x, 1 / @as(f32, scale));
            const rest = @mulAdd(f32, -q, scale, x);
            sums[i / 16] = @mulAdd(f32, rest, rest, sums[i / 16]);
            number.* = @intFromFloat(q);
        }
        if (sums[0] + sums[1] < least) {
            least = sums[0] + sums[1];
            best = tried;
        }
    }
    return best;
}

/// The largest whole part of `old` with which int8 holds `largest`, or one of the next.
fn wholePart(old: f32, largest: f32, fewer: usize) f16 {
    const most = @floor(127 * old / largest) - @as(f32, @floatFromInt(fewer));
    const wanted = if (most >= 1) old / most else largest / 127;
    const scale: f16 = @floatCast(wanted);
    if (@as(f32, scale) * 127.4 >= largest) return scale;
    return std.math.nextAfter(f16, scale, std.math.inf(f16));
}

/// `x · inverse`, rounded once.
fn wholeNumber(x: f32, inverse: f32) f32 {
    const magic: f32 = 12582912.0;
    return @mulAdd(f32, x, inverse, magic) - magic;
}
