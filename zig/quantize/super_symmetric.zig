//! Super-blocks of one scale: `x ≈ d · s · level`, with a whole number s for each piece of a block.

const group = @import("group.zig");
const simd = @import("../kernels/simd.zig");
const symmetric = @import("symmetric.zig");

const F32 = group.F32;
const mulAdd = simd.mulAdd;
const splat = simd.splat;

/// Columns of a super-block.
pub const columns = 256;

/// How often the scale of all is fitted anew to what the pieces have become.
const rounds = 3;

pub const Format = struct {
    Levels: type,
    /// Where candidates for a piece's scale put its largest weight.
    targets: []const f32,
    /// Columns that share an s.
    piece: usize,
    /// s is from `-reach` to `reach - 1`.
    reach: f32,
};

pub fn Super(comptime format: Format) type {
    const Levels = format.Levels;
    const pieces = columns / format.piece;
    return struct {
        d: F32,
        s: [pieces]F32,
        wrong: F32,

        const Self = @This();

        pub fn of(x: *const [columns]F32) Self {
            var scales: [pieces]F32 = undefined;
            for (&scales, 0..) |*scale, i| {
                scale.* = symmetric.search(Levels, format.targets, pieceOf(x, i));
            }
            // The largest has the farthest number, and all others their nearest.
            const d = group.half(symmetric.largest(&scales) / splat(-format.reach));
            const by = group.inverse(d);
            var best: Self = .{ .d = d, .s = undefined, .wrong = splat(0) };
            for (&best.s, scales) |*s, scale| s.* = limited(group.rounded(bounded(scale * by)));
            best.settle(x);
            for (0..rounds) |_| {
                var next = best;
                next.d = best.fitted(x);
                next.settle(x);
                best.takeBetter(next);
            }
            return best;
        }

        /// Of the levels that a piece has with these scales.
        pub inline fn scaleOf(self: *const Self, column: usize) F32 {
            return self.d * self.s[column / format.piece];
        }

        inline fn pieceOf(x: *const [columns]F32, i: usize) *const [format.piece]F32 {
            return x[i * format.piece ..][0..format.piece];
        }

        inline fn limited(s: F32) F32 {
            return group.clamped(s, -format.reach, format.reach - 1);
        }

        /// What is no number's neighbour stays one: d may be so small that it is coarse.
        inline fn bounded(s: F32) F32 {
            return group.clamped(s, -2 * format.reach, 2 * format.reach);
        }

        /// Moves each s to its better neighbour, if there is one.
        fn settle(self: *Self, x: *const [columns]F32) void {
            self.wrong = splat(0);
            for (&self.s, 0..) |*s, i| {
                const candidates = [3]F32{ s.*, limited(s.* - splat(1)), limited(s.* + splat(1)) };
                var scales: [3]F32 = undefined;
                for (&scales, candidates) |*scale, candidate| scale.* = self.d * candidate;
                const wrong = symmetric.errors(Levels, 3, scales, pieceOf(x, i));
                var least = wrong[0];
                for (candidates[1..], wrong[1..]) |candidate, other| {
                    s.* = @select(f32, other < least, candidate, s.*);
                    least = group.smaller(other, least);
                }
                self.wrong += least;
            }
        }

        /// The best d for the levels as they are: `Σ x·s·l / Σ (s·l)²`.
        fn fitted(self: *const Self, x: *const [columns]F32) F32 {
            var with = splat(0);
            var square = splat(0);
            for (0..pieces) |i| {
                const by = group.inverse(self.d * self.s[i]);
                var xl = splat(0);
                var ll = splat(0);
                for (pieceOf(x, i)) |value| {
                    const level = Levels.nearest(value * by);
                    xl = mulAdd(value, level, xl);
                    ll = mulAdd(level, level, ll);
                }
                with = mulAdd(self.s[i], xl, with);
                square = mulAdd(self.s[i] * self.s[i], ll, square);
            }
            return group.half(with * group.inverse(square));
        }

        fn takeBetter(self: *Self, other: Self) void {
            const better = other.wrong < self.wrong;
            self.d = @select(f32, better, other.d, self.d);
            for (&self.s, other.s) |*s, o| s.* = @select(f32, better, o, s.*);
            self.wrong = group.smaller(other.wrong, self.wrong);
        }
    };
}
