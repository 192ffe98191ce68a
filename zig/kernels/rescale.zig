//! 32 columns of any block format as int8 with one float16 scale, 16 rows side by side.
//!
//! A format with a minimum, or with a scale for 16 columns, does not fit that without rounding. But
//! its values are few: multiples of its own scale, from a minimum on. If the new scale is a whole
//! part of the old one, the multiples are exact, and only the minimum, or the other half of the
//! columns, is off by up to half of the new scale. So the largest whole parts that leave int8 room
//! are tried, sixteen of one scale or eight of each of two, and the one is taken that errs least.

const std = @import("std");
const piece = @import("../quants/piece.zig");
const simd = @import("simd.zig");

const lanes = simd.lanes;
const F32 = simd.F32;
const splat = simd.splat;

const int8_max = 127;

/// Of 16 rows, the nearest numbers. Where one is not finite, or too large, neither is the scale.
pub fn nearest(rows: *[lanes]piece.Piece) void {
    var values: Halves = undefined;
    var old: [2][lanes]f32 = undefined;
    for (rows, 0..) |*row, r| {
        inline for (dequantized(row.*), 0..) |x, half| values[half][r] = x;
        inline for (row.scale, 0..) |scale, half| old[half][r] = scale;
    }
    // A row a lane.
    const columns: Halves = .{ simd.transpose(values[0]), simd.transpose(values[1]) };
    const best = search(&columns, .{ old[0], old[1] });
    const scales: [lanes]f16 = best.scale;
    const inverses: [lanes]f32 = best.inverse;
    for (rows, scales, inverses, 0..) |*row, scale, inverse, r| {
        const q = rounded(.{ values[0][r], values[1][r] }, inverse);
        row.* = .{ .q = q, .scale = piece.everywhere(scale) };
    }
}

const Halves = [2][lanes]F32;

/// `scale · q + minimum`
pub inline fn dequantized(from: piece.Piece) [2]F32 {
    const q: [2]@Vector(lanes, i8) = @bitCast(from.q);
    var result: [2]F32 = undefined;
    inline for (&result, q, from.scale, from.minimum) |*values, numbers, scale, minimum| {
        values.* = simd.mulAdd(splat(scale), @floatFromInt(numbers), splat(minimum));
    }
    return result;
}

/// A scale a row.
const Scale = struct {
    scale: @Vector(lanes, f16),
    inverse: F32,

    /// The next larger float16 where the nearest is too small for the largest value.
    inline fn of(wanted: F32, largest: F32) Scale {
        const near: @Vector(lanes, f16) = @floatCast(wanted);
        const small = @as(F32, near) * splat(int8_max + 0.4) < largest;
        const U16 = @Vector(lanes, u16);
        const bits = @as(U16, @bitCast(near)) + @as(U16, @intFromBool(small));
        const scale: @Vector(lanes, f16) = @bitCast(bits);
        return .{ .scale = scale, .inverse = splat(1) / @as(F32, scale) };
    }
};

/// The scales with the least sums of squared errors; of equal ones the first.
inline fn search(values: *const Halves, old: [2]F32) Scale {
    var largest = splat(0);
    for (values) |half| for (half) |x| {
        largest = simd.largerMagnitude(largest, x);
    };
    const least = largest / splat(int8_max);
    var best: Best = .{ .scale = .of(least, largest) };
    // Where nothing is left of whole parts, the largest value alone decides, and that only once.
    var is_decided: Lanes = @splat(false);
    // Of a single scale, the second half of the tries goes on where the first ends.
    const same = @select(f32, old[0] == old[1], splat(tries), splat(0));
    for (old, [2]F32{ splat(0), same }) |scales, before| {
        const whole = @abs(scales);
        const most = @floor(splat(int8_max) * whole / largest) - before;
        var fewer: f32 = 0;
        while (fewer < tries) : (fewer += 2) {
            if (!@reduce(.Or, (most - splat(fewer) >= splat(1)) | !is_decided)) break;
            var tried: [2]Scale = undefined;
            inline for (&tried, 0..) |*one, i| {
                const parts = most - splat(fewer + i);
                const is_part = parts >= splat(1);
                one.* = .of(@select(f32, is_part, whole / parts, least), largest);
                is_decided |= !is_part;
            }
            best.take(tried, squaredErrors(values, tried));
        }
    }
    // All are 0, which no inverse of a scale of 0 would give.
    best.scale.inverse = @select(f32, largest == splat(0), splat(0), best.scale.inverse);
    return best.scale;
}

/// Of each of two scales.
const tries = lanes / 2;

const Lanes = @Vector(lanes, bool);

const Best = struct {
    scale: Scale,
    sum: F32 = splat(std.math.inf(f32)),

    inline fn take(self: *Best, tried: [2]Scale, sums: [2]F32) void {
        inline for (tried, sums) |one, sum| {
            const is_better = sum < self.sum;
            self.sum = @select(f32, is_better, sum, self.sum);
            self.scale.scale = @select(f16, is_better, one.scale, self.scale.scale);
            self.scale.inverse = @select(f32, is_better, one.inverse, self.scale.inverse);
        }
    }
};

/// Of two scales together, so that no addition waits for the one before it.
inline fn squaredErrors(values: *const Halves, tried: [2]Scale) [2]F32 {
    var sums: [2][2]F32 = @splat(@splat(splat(0)));
    for (values[0], values[1]) |first, second| {
        inline for (&sums, tried) |*of, one| inline for (of, .{ first, second }) |*sum, x| {
            const q = wholeNumber(x, one.inverse) - splat(simd.magic);
            const rest = simd.mulAdd(-q, @as(F32, one.scale), x);
            sum.* = simd.mulAdd(rest, rest, sum.*);
        };
    }
    return .{ sums[0][0] + sums[0][1], sums[1][0] + sums[1][1] };
}

/// `x · inverse`, rounded, as a float to which `magic` was added.
inline fn wholeNumber(x: F32, inverse: F32) F32 {
    return simd.mulAdd(x, inverse, splat(simd.magic));
}

inline fn rounded(values: [2]F32, inverse: f32) @Vector(piece.columns, i8) {
    var result: [2]@Vector(lanes, u8) = undefined;
    inline for (&result, values) |*bytes, x| {
        const q: simd.I32 = @bitCast(wholeNumber(x, splat(inverse)));
        bytes.* = @truncate(@as(@Vector(lanes, u32), @bitCast(q)));
    }
    return @bitCast(result);
}
