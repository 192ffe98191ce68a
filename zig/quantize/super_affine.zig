//! Super-blocks of a scale and a minimum: `x ≈ d · s · q - e · m`, with whole numbers s and m for
//! each piece of a block.

const std = @import("std");
const affine = @import("affine.zig");
const group = @import("group.zig");
const simd = @import("../kernels/simd.zig");

const Bools = @Vector(group.lanes, bool);
const F32 = group.F32;
const mulAdd = simd.mulAdd;
const splat = simd.splat;

/// Columns of a super-block.
pub const columns = 256;

/// How often the scales of all are fitted anew to what the pieces have become.
const rounds = 4;

pub const Format = struct {
    /// q is from 0 to `most`.
    most: f32,
    /// How many steps the candidates for a piece make of the range of its weights.
    reaches: []const f32,
    /// Columns that share an s and an m.
    piece: usize,
    /// s and m are from 0 to `reach`.
    reach: f32,
};

pub fn Super(comptime format: Format) type {
    const pieces = columns / format.piece;
    return struct {
        d: F32,
        e: F32,
        s: [pieces]F32,
        m: [pieces]F32,
        wrong: F32,

        const Self = @This();

        pub fn of(x: *const [columns]F32) Self {
            var scales: [pieces]F32 = undefined;
            var minimums: [pieces]F32 = undefined;
            var scale_most = splat(0);
            var minimum_most = splat(0);
            for (&scales, &minimums, 0..) |*scale, *minimum, i| {
                const fit = affine.search(format.most, format.reaches, true, pieceOf(x, i));
                scale.* = fit.scale;
                minimum.* = -fit.minimum;
                scale_most = group.larger(scale.*, scale_most);
                minimum_most = group.larger(minimum.*, minimum_most);
            }
            var best: Self = .{
                .d = group.half(scale_most / splat(format.reach)),
                .e = group.half(minimum_most / splat(format.reach)),
                .s = undefined,
                .m = undefined,
                .wrong = splat(0),
            };
            const by_d = group.inverse(best.d);
            const by_e = group.inverse(best.e);
            for (&best.s, &best.m, scales, minimums) |*s, *m, scale, minimum| {
                s.* = group.rounded(limited(scale * by_d));
                m.* = group.rounded(limited(minimum * by_e));
            }
            best.settle(x);
            for (0..rounds) |_| {
                var next = best;
                best.fitInto(x, &next);
                next.settle(x);
                best.takeBetter(next);
            }
            return best;
        }

        /// The number nearest to a weight.
        pub inline fn number(self: *const Self, x: *const [columns]F32, column: usize) F32 {
            const i = column / format.piece;
            const above = mulAdd(self.e, self.m[i], x[column]);
            return numberOf(above * group.inverse(self.d * self.s[i]));
        }

        inline fn numberOf(x: F32) F32 {
            return group.rounded(group.clamped(x, 0, format.most));
        }

        inline fn pieceOf(x: *const [columns]F32, i: usize) *const [format.piece]F32 {
            return x[i * format.piece ..][0..format.piece];
        }

        inline fn limited(x: F32) F32 {
            return group.clamped(x, 0, format.reach);
        }

        /// Moves each pair of s and m to its best neighbour, if one is better.
        fn settle(self: *Self, x: *const [columns]F32) void {
            self.wrong = splat(0);
            for (&self.s, &self.m, 0..) |*s, *m, i| {
                const from_s = s.*;
                const from_m = m.*;
                var least = splat(@as(f32, 3.4e38));
                for ([_]f32{ 0, -1, 1 }) |step_s| {
                    const near_s = limited(from_s + splat(step_s));
                    var near_m: [3]F32 = undefined;
                    var fits: [3]affine.Fit = undefined;
                    inline for (&near_m, &fits, [_]f32{ 0, -1, 1 }) |*near, *line, step_m| {
                        near.* = limited(from_m + splat(step_m));
                        line.* = .{ .scale = self.d * near_s, .minimum = -self.e * near.* };
                    }
                    const wrong = affine.errors(format.most, 3, fits, pieceOf(x, i));
                    inline for (wrong, near_m) |other, near| {
                        const better = other < least;
                        s.* = @select(f32, better, near_s, s.*);
                        m.* = @select(f32, better, near, m.*);
                        least = group.smaller(other, least);
                    }
                }
                self.wrong += least;
            }
        }

        /// The best d and e for the numbers as they are, a system of two equations:
        /// `d Σ(sq)² - e Σsqm = Σxsq` and `d Σsqm - e Σm² = Σxm`.
        fn fitInto(self: *const Self, x: *const [columns]F32, into: *Self) void {
            var qq = splat(0);
            var qm = splat(0);
            var mm = splat(0);
            var xq = splat(0);
            var xm = splat(0);
            for (self.s, self.m, 0..) |s, m, i| {
                const by = group.inverse(self.d * s);
                const low = self.e * m;
                var numbers = splat(0);
                var squares = splat(0);
                var products = splat(0);
                var sum = splat(0);
                for (pieceOf(x, i)) |value| {
                    const q = numberOf((value + low) * by);
                    numbers += q;
                    squares = mulAdd(q, q, squares);
                    products = mulAdd(value, q, products);
                    sum += value;
                }
                qq = mulAdd(s * s, squares, qq);
                qm = mulAdd(s * m, numbers, qm);
                mm = mulAdd(m * m, splat(format.piece), mm);
                xq = mulAdd(s, products, xq);
                xm = mulAdd(m, sum, xm);
            }
            const by = group.inverse(mulAdd(qq, mm, -qm * qm));
            const d = mulAdd(xq, mm, -xm * qm) * by;
            const e = mulAdd(qm, xq, -qq * xm) * by;
            const sound = e > splat(0);
            into.d = group.half(@select(f32, sound, d, xq * group.inverse(qq)));
            into.e = group.half(@select(f32, sound, e, splat(0)));
        }

        /// What is too large for float16 stays so, and is found: the sums beyond it mean nothing.
        fn takeBetter(self: *Self, other: Self) void {
            const held = @abs(self.d + self.e) < splat(std.math.inf(f32));
            const better = @select(bool, held, other.wrong < self.wrong, @as(Bools, @splat(false)));
            self.d = @select(f32, better, other.d, self.d);
            self.e = @select(f32, better, other.e, self.e);
            for (&self.s, other.s) |*s, o| s.* = @select(f32, better, o, s.*);
            for (&self.m, other.m) |*m, o| m.* = @select(f32, better, o, m.*);
            self.wrong = group.smaller(other.wrong, self.wrong);
        }
    };
}
