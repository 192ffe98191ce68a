//! How alike a caller's vectors are to his queries.

const std = @import("std");
const interface = @import("interface.zig");
const simd = @import("simd.zig");
const simd_rows = @import("simd_rows.zig");
const vectors = @import("vectors.zig");

const Score = interface.Score;
const scored_rows = interface.scored_rows;
const lanes = simd.lanes;

pub fn float32(args: *const Score) callconv(.c) bool {
    Dots(Floats).run(args);
    return finish(args);
}

pub fn int8(args: *const Score) callconv(.c) bool {
    Dots(Bytes).run(args);
    return finish(args);
}

/// Of signs, `Σ q·r` is what is left of their number when those that differ count against it; it is
/// the sum of the squares as well.
pub fn binary(args: *const Score) callconv(.c) bool {
    const bytes = interface.Encoding.binary.rowBytes(args.dimensions);
    const dimensions: f64 = @floatFromInt(args.dimensions);
    for (0..args.query_count) |q| {
        const query = args.queries + q * bytes;
        const scores = &args.scores[q];
        for (scores[0..args.row_count], 0..) |*score, r| {
            const differences = simd_rows.differences(query, args.rows + r * bytes, bytes);
            score.* = dimensions - 2 * @as(f64, @floatFromInt(differences));
            if (args.metric == .cosine) score.* /= dimensions;
        }
    }
    return args.metric == .cosine or finish(args);
}

/// Dots of all rows and queries, by tiles that stay in registers, and the rows' squares on the way.
fn Dots(comptime Kind: type) type {
    return struct {
        fn run(args: *const Score) void {
            var q: usize = 0;
            while (q < args.query_count) {
                const is_first = !args.squares_known and q == 0;
                const queries = @min(simd_rows.tile_queries, args.query_count - q);
                inline for (1..simd_rows.tile_queries + 1) |n| {
                    if (queries == n and is_first) ofQueries(n, true, args, q);
                    if (queries == n and !is_first) ofQueries(n, false, args, q);
                }
                q += queries;
            }
        }

        fn ofQueries(
            comptime queries: usize,
            comptime is_first: bool,
            args: *const Score,
            q: usize,
        ) void {
            var r: usize = 0;
            while (r + Kind.rows <= args.row_count) : (r += Kind.rows) {
                ofTile(Kind.rows, queries, is_first, args, r, q);
            }
            while (r < args.row_count) : (r += 1) ofTile(1, queries, is_first, args, r, q);
        }

        inline fn ofTile(
            comptime rows: usize,
            comptime queries: usize,
            comptime is_first: bool,
            args: *const Score,
            r: usize,
            q: usize,
        ) void {
            const stride = args.dimensions * @sizeOf(Kind.Element);
            var tile: Tile(Kind, rows, queries, is_first) = .{
                .rows = undefined,
                .queries = undefined,
            };
            inline for (&tile.rows, 0..) |*row, i| {
                row.* = @ptrCast(@alignCast(args.rows + (r + i) * stride));
            }
            inline for (&tile.queries, 0..) |*query, i| {
                query.* = @ptrCast(@alignCast(args.queries + (q + i) * stride));
            }
            tile.run(args.dimensions);
            inline for (0..rows) |i| {
                inline for (0..queries) |j| args.scores[q + j][r + i] = Kind.total(tile.dots[i][j]);
                if (is_first) args.squares[r + i] = Kind.total(tile.squares[i]);
            }
        }
    };
}

fn Tile(
    comptime Kind: type,
    comptime row_count: usize,
    comptime query_count: usize,
    comptime is_first: bool,
) type {
    return struct {
        rows: [row_count][*]const Kind.Element,
        queries: [query_count][*]const Kind.Element,
        dots: [row_count][query_count]Kind.Sums = @splat(@splat(@splat(0))),
        squares: [row_count]Kind.Sums = @splat(@splat(0)),

        const Self = @This();

        inline fn run(self: *Self, dimensions: usize) void {
            const whole = dimensions / Kind.step * Kind.step;
            var i: usize = 0;
            while (i < whole) : (i += Kind.step) self.add(i, Kind.step);
            if (whole < dimensions) self.add(whole, dimensions - whole);
        }

        inline fn add(self: *Self, i: usize, n: usize) void {
            var queries: [query_count]Kind.Piece = undefined;
            inline for (&queries, self.queries) |*piece, query| piece.* = Kind.load(query + i, n);
            inline for (self.rows, 0..) |row, r| {
                const piece = Kind.load(row + i, n);
                inline for (queries, 0..) |query, q| {
                    self.dots[r][q] = Kind.add(self.dots[r][q], piece, query);
                }
                if (is_first) self.squares[r] = Kind.add(self.squares[r], piece, piece);
            }
        }
    };
}

const Floats = struct {
    const Element = f32;
    const Piece = simd_rows.F64;
    const Sums = simd_rows.F64;
    const step = lanes;
    const rows = simd_rows.float_rows;

    inline fn load(p: [*]const f32, n: usize) Piece {
        return vectors.loadUpTo(p, n);
    }

    inline fn add(sums: Sums, a: Piece, b: Piece) Sums {
        return simd_rows.mulAdd(a, b, sums);
    }

    inline fn total(sums: Sums) f64 {
        return simd.sum(sums);
    }
};

const Bytes = struct {
    const Element = i8;
    const Piece = simd_rows.Piece;
    const Sums = simd_rows.Sums;
    const step = simd_rows.step;
    const rows = simd_rows.int8_rows;

    const load = simd_rows.loadPieceUpTo;
    const add = simd_rows.addProducts;

    inline fn total(sums: Sums) f64 {
        return @floatFromInt(simd_rows.total(sums));
    }
};

/// Rows whose scores are finished together.
const together = 8;
const Some = @Vector(together, f64);

/// From dots to scores; false where one is not finite. What lies beyond the last row is computed as
/// well, from whatever is there, and means nothing.
fn finish(args: *const Score) bool {
    var finite = true;
    for (0..args.query_count) |q| {
        const scores = &args.scores[q];
        // No dot of finite vectors is anything but finite, and every one of others.
        for (scores[0..args.row_count]) |dot| finite = finite and std.math.isFinite(dot);
        const number: Some = @splat(args.query_numbers[q]);
        switch (args.metric) {
            .cosine => {
                var r: usize = 0;
                while (r < args.row_count) : (r += together) {
                    const dots: Some = scores[r..][0..together].*;
                    scores[r..][0..together].* = cosines(dots, number * squaresAt(args, r));
                }
            },
            .dot => for (scores[0..args.row_count], 0..) |*score, r| {
                const scale = if (args.row_scales) |scales| scales[r] else 1;
                score.* = score.* * args.query_numbers[q] * scale;
                finite = finite and std.math.isFinite(score.*);
            },
        }
    }
    return finite;
}

inline fn squaresAt(args: *const Score, row: usize) Some {
    return args.squares[row..][0..together].*;
}

/// The root of a square is exact, so that a vector's cosine with itself is 1; rounding may still
/// take that of parallel ones a little beyond.
inline fn cosines(dots: Some, squares: Some) Some {
    const one: Some = @splat(1);
    const zero: Some = @splat(0);
    const raw = @select(f64, squares > zero, dots / @sqrt(squares), zero);
    const below = @select(f64, raw > one, one, raw);
    return @select(f64, below < -one, -one, below);
}
