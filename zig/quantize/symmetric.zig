//! Weights of one scale, `x ≈ d · level`: the scale with the least squared error, by search.

const group = @import("group.zig");
const simd = @import("../kernels/simd.zig");

const F32 = group.F32;
const mulAdd = simd.mulAdd;
const splat = simd.splat;

/// Candidates that are tried in one pass over the weights.
const together = 4;

/// The best scale, not rounded. Each candidate puts the weight of largest magnitude on one of
/// `targets` (levels and what lies between and beyond them); its levels are what they are, and the
/// best scale for these is known: `Σ x·l / Σ l²`, which takes `(Σ x·l)² / Σ l²` off the error.
pub fn search(comptime Levels: type, comptime targets: []const f32, x: []const F32) F32 {
    const by = group.inverse(largest(x));
    var best: Best = .{};
    comptime var first: usize = 0;
    inline while (first < targets.len) : (first += together) {
        const some = targets[first..@min(first + together, targets.len)];
        var inverses: [some.len]F32 = undefined;
        inline for (&inverses, some) |*inverse, target| inverse.* = splat(target) * by;
        best.offer(Levels, some.len, inverses, x);
    }
    // Levels follow from the scale, and the scale from the levels: once more around.
    for (0..2) |_| best.offer(Levels, 1, .{group.inverse(best.scale)}, x);
    return best.scale;
}

const Best = struct {
    scale: F32 = splat(0),
    gain: F32 = splat(0),

    /// Not inlined: one loop for all candidates of a format.
    noinline fn offer(
        self: *Best,
        comptime Levels: type,
        comptime n: usize,
        inverses: [n]F32,
        x: []const F32,
    ) void {
        var xl: [n]F32 = @splat(splat(0));
        var ll: [n]F32 = @splat(splat(0));
        for (x) |value| {
            inline for (&xl, &ll, inverses) |*with, *square, inverse| {
                const level = Levels.nearest(value * inverse);
                with.* = mulAdd(value, level, with.*);
                square.* = mulAdd(level, level, square.*);
            }
        }
        inline for (xl, ll) |with, square| {
            const scale = with * group.inverse(square);
            const gain = scale * with;
            const better = gain > self.gain;
            self.scale = @select(f32, better, scale, self.scale);
            self.gain = @select(f32, better, gain, self.gain);
        }
    }
};

/// Of some scales, the one with the least squared error.
pub fn bestOf(
    comptime Levels: type,
    comptime n: usize,
    scales: [n]F32,
    x: []const F32,
) F32 {
    const found = errors(Levels, n, scales, x);
    var best = scales[0];
    var least = found[0];
    inline for (scales[1..], found[1..]) |scale, wrong| {
        best = @select(f32, wrong < least, scale, best);
        least = group.smaller(wrong, least);
    }
    return best;
}

/// `Σ (x - d · level)²` of each.
pub noinline fn errors(
    comptime Levels: type,
    comptime n: usize,
    scales: [n]F32,
    x: []const F32,
) [n]F32 {
    var inverses: [n]F32 = undefined;
    inline for (&inverses, scales) |*inverse, scale| inverse.* = group.inverse(scale);
    var result: [n]F32 = @splat(splat(0));
    for (x) |value| {
        inline for (&result, scales, inverses) |*sum, scale, inverse| {
            const wrong = mulAdd(-scale, Levels.nearest(value * inverse), value);
            sum.* = mulAdd(wrong, wrong, sum.*);
        }
    }
    return result;
}

/// The float16 scale of a block of its own. What llama.cpp takes is one of the candidates, so that
/// no block is worse than its.
pub fn ofBlock(comptime Levels: type, comptime targets: []const f32, x: []const F32) F32 {
    const found = group.half(search(Levels, targets, x));
    const plain = group.half(largest(x) / splat(Levels.farthest));
    return bestOf(Levels, 2, .{ plain, found }, x);
}

/// The weight of largest magnitude, with its sign; of two such the first.
pub fn largest(x: []const F32) F32 {
    var result = splat(0);
    for (x) |value| result = @select(f32, @abs(value) > @abs(result), value, result);
    return result;
}
