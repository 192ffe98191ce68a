//! Weights of a scale and a minimum, `x ≈ d · q + m` with q from 0: both with the least squared
//! error, by search.

const group = @import("group.zig");
const simd = @import("../kernels/simd.zig");

const F32 = group.F32;
const mulAdd = simd.mulAdd;
const splat = simd.splat;

/// Candidates that are tried in one pass over the weights.
const together = 3;

pub const Fit = struct { scale: F32, minimum: F32 };

pub const Range = struct { low: F32, high: F32 };

pub fn range(x: []const F32) Range {
    var result: Range = .{ .low = x[0], .high = x[0] };
    for (x[1..]) |value| {
        result.low = group.smaller(value, result.low);
        result.high = group.larger(value, result.high);
    }
    return result;
}

/// The best scale and minimum, not rounded. `reaches` says how many steps the candidates make of
/// the range of the weights; their numbers are what they are, and the best line through these is
/// known. With `below` the minimum is 0 at the most, as the K formats have it.
pub fn search(
    comptime most: f32,
    comptime reaches: []const f32,
    comptime below: bool,
    x: []const F32,
) Fit {
    var bounds = range(x);
    if (below) {
        bounds.low = group.smaller(bounds.low, splat(0));
        bounds.high = group.larger(bounds.high, splat(0));
    }
    var best: Best = .{ .low = bounds.low };
    // Sums of what is left above the lowest weight lose no digits to an offset.
    for (x) |value| best.sum += value - bounds.low;
    const by = group.inverse(bounds.high - bounds.low);
    comptime var first: usize = 0;
    inline while (first < reaches.len) : (first += together) {
        const some = reaches[first..@min(first + together, reaches.len)];
        var inverses: [some.len]F32 = undefined;
        inline for (&inverses, some) |*inverse, reach| inverse.* = splat(reach) * by;
        best.offer(most, below, some.len, inverses, splat(0), x);
    }
    // Numbers follow from the line, and the line from the numbers: once more around.
    for (0..3) |_| {
        best.offer(most, below, 1, .{group.inverse(best.scale)}, best.minimum, x);
    }
    return .{ .scale = best.scale, .minimum = best.low + best.minimum };
}

const Best = struct {
    low: F32,
    sum: F32 = splat(0),
    scale: F32 = splat(0),
    /// Above `low`.
    minimum: F32 = splat(0),
    gain: F32 = splat(0),

    noinline fn offer(
        self: *Best,
        comptime most: f32,
        comptime below: bool,
        comptime n: usize,
        inverses: [n]F32,
        from: F32,
        x: []const F32,
    ) void {
        var q1: [n]F32 = @splat(splat(0));
        var q2: [n]F32 = @splat(splat(0));
        var xq: [n]F32 = @splat(splat(0));
        for (x) |value| {
            const above = value - self.low;
            inline for (&q1, &q2, &xq, inverses) |*sum, *square, *with, inverse| {
                const q = group.rounded(group.clamped((above - from) * inverse, 0, most));
                sum.* += q;
                square.* = mulAdd(q, q, square.*);
                with.* = mulAdd(above, q, with.*);
            }
        }
        const count = splat(@floatFromInt(x.len));
        inline for (q1, q2, xq) |sum, square, with| {
            const spread = mulAdd(count, square, -sum * sum);
            var scale = mulAdd(count, with, -sum * self.sum) * group.inverse(spread);
            var minimum = mulAdd(-scale, sum, self.sum) / count;
            if (below) {
                const beyond = minimum > -self.low;
                const only = mulAdd(self.low, sum, with) * group.inverse(square);
                scale = @select(f32, beyond, only, scale);
                minimum = group.smaller(minimum, -self.low);
            }
            self.take(scale, minimum, .{ .sum = sum, .square = square, .with = with }, count);
        }
    }

    /// What a line takes off the error: `2 d Σxq + 2 m Σx - d² Σq² - 2 d m Σq - n m²`.
    inline fn take(self: *Best, scale: F32, minimum: F32, sums: anytype, count: F32) void {
        const straight = mulAdd(scale, sums.with, minimum * self.sum);
        const crossed = mulAdd(scale * splat(2), sums.sum, count * minimum) * minimum;
        const bent = mulAdd(scale * scale, sums.square, crossed);
        const gain = mulAdd(splat(2), straight, -bent);
        const better = gain > self.gain;
        self.scale = @select(f32, better, scale, self.scale);
        self.minimum = @select(f32, better, minimum, self.minimum);
        self.gain = @select(f32, better, gain, self.gain);
    }
};

/// `Σ (x - d · q - m)²` of each.
pub noinline fn errors(
    comptime most: f32,
    comptime n: usize,
    fits: [n]Fit,
    x: []const F32,
) [n]F32 {
    var inverses: [n]F32 = undefined;
    inline for (&inverses, fits) |*inverse, fit| inverse.* = group.inverse(fit.scale);
    var result: [n]F32 = @splat(splat(0));
    for (x) |value| {
        inline for (&result, fits, inverses) |*sum, fit, inverse| {
            const above = value - fit.minimum;
            const q = group.rounded(group.clamped(above * inverse, 0, most));
            const wrong = mulAdd(-fit.scale, q, above);
            sum.* = mulAdd(wrong, wrong, sum.*);
        }
    }
    return result;
}

/// The float16 scale and minimum of a block of its own. What llama.cpp takes is one of the
/// candidates, so that no block is worse than its.
pub fn ofBlock(comptime most: f32, comptime reaches: []const f32, x: []const F32) Fit {
    const bounds = range(x);
    const found = search(most, reaches, false, x);
    const fits = [_]Fit{
        .{
            .scale = group.half((bounds.high - bounds.low) / splat(most)),
            .minimum = group.half(bounds.low),
        },
        .{ .scale = group.half(found.scale), .minimum = group.half(found.minimum) },
    };
    const wrong = errors(most, 2, fits, x);
    const better = wrong[1] < wrong[0];
    return .{
        .scale = @select(f32, better, fits[1].scale, fits[0].scale),
        .minimum = @select(f32, better, fits[1].minimum, fits[0].minimum),
    };
}

/// The steps from the minimum to each weight, by a fit as it is stored.
pub fn numbers(comptime most: f32, fit: Fit, comptime n: usize, x: *const [n]F32) [n]simd.I32 {
    const by = group.inverse(fit.scale);
    var result: [n]simd.I32 = undefined;
    for (&result, x) |*q, value| {
        q.* = group.whole(group.rounded(group.clamped((value - fit.minimum) * by, 0, most)));
    }
    return result;
}
