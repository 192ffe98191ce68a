//! What searching finds: scores by every variant, and the best of them.

const std = @import("std");
const cases = @import("cases.zig");
const interface = @import("../kernels/interface.zig");
const Guard = @import("guard.zig").Guard;
const Numbers = @import("numbers.zig").Numbers;
const TopK = @import("../top_k.zig").TopK;
const twin = @import("twin.zig");

const testing = std.testing;
const scored_rows = interface.scored_rows;

/// Vectors of one encoding, each row at the end of what may be read.
const Vectors = struct {
    encoding: interface.Encoding,
    dimensions: usize,
    bytes: []u8,

    fn init(
        guard: *Guard,
        numbers: *Numbers,
        encoding: interface.Encoding,
        dimensions: usize,
        count: usize,
    ) Vectors {
        const bytes = guard.alloc(u8, count * encoding.rowBytes(dimensions));
        switch (encoding) {
            .float32 => numbers.floats(@alignCast(std.mem.bytesAsSlice(f32, bytes))),
            // All bytes there are, -128 too.
            .int8, .binary => for (bytes) |*byte| {
                byte.* = @bitCast(numbers.int8());
            },
        }
        return .{ .encoding = encoding, .dimensions = dimensions, .bytes = bytes };
    }

    fn row(self: Vectors, index: usize) []u8 {
        const size = self.encoding.rowBytes(self.dimensions);
        return self.bytes[index * size ..][0..size];
    }
};

fn dotOf(encoding: interface.Encoding, a: []u8, b: []u8) f64 {
    return switch (encoding) {
        .float32 => twin.dotFloat(
            @alignCast(std.mem.bytesAsSlice(f32, a)),
            @alignCast(std.mem.bytesAsSlice(f32, b)),
        ),
        .int8 => twin.dotBytes(@ptrCast(a), @ptrCast(b)),
        .binary => twin.dotBits(a, b),
    };
}

const Case = struct {
    encoding: interface.Encoding,
    metric: interface.Metric,
    dimensions: usize,
    rows: usize,
    queries: usize,

    fn run(self: Case, kernels: *const interface.Kernels, guard: *Guard, digest: *Digest) !void {
        var random: Numbers = .init(self.dimensions * 100 + self.rows);
        const rows: Vectors = .init(guard, &random, self.encoding, self.dimensions, self.rows);
        const count = self.queries;
        const queries: Vectors = .init(guard, &random, self.encoding, self.dimensions, count);
        @memcpy(rows.row(self.rows - 1), queries.row(0));
        const scales = cases.randomFloats(guard, &random, self.rows);
        const numbers = guard.alloc(f64, self.queries);
        for (numbers, 0..) |*number, q| number.* = switch (self.metric) {
            .cosine => dotOf(self.encoding, queries.row(q), queries.row(q)),
            .dot => @floatFromInt(q + 3),
        };
        const scores = guard.alloc([scored_rows]f64, self.queries);
        var squares: [scored_rows]f64 = undefined;
        // The first query alone, the others after it.
        for ([_]usize{ 0, 1 }, [_]usize{ 1, self.queries }) |begin, end| {
            try testing.expect(kernels.score[@intFromEnum(self.encoding)](&.{
                .metric = self.metric,
                .dimensions = self.dimensions,
                .queries = queries.bytes.ptr + begin * self.encoding.rowBytes(self.dimensions),
                .query_count = end - begin,
                .query_numbers = numbers.ptr + begin,
                .rows = rows.bytes.ptr,
                .row_count = self.rows,
                .row_scales = if (self.encoding == .float32) null else scales.ptr,
                .scores = scores.ptr + begin,
                .squares = &squares,
                .squares_known = begin > 0,
            }));
        }
        for (scores, numbers, 0..) |found, number, q| for (found[0..self.rows], 0..) |score, r| {
            const row = rows.row(r);
            const dot = dotOf(self.encoding, queries.row(q), row);
            const expected = switch (self.metric) {
                .cosine => twin.cosine(dot, number, dotOf(self.encoding, row, row)),
                .dot => dot * number * (if (self.encoding == .float32) 1 else scales[r]),
            };
            try testing.expectEqual(@as(u64, @bitCast(expected)), @as(u64, @bitCast(score)));
            digest.update(std.mem.asBytes(&score));
        };
        // A vector is like itself, whatever it is.
        if (self.metric == .cosine) try testing.expectEqual(1, scores[0][self.rows - 1]);
    }
};

const Digest = std.hash.Fnv1a_64;

test "scores: every encoding, metric, tile and rest" {
    try cases.onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            var digest: Digest = .init();
            for (std.enums.values(interface.Encoding)) |encoding| {
                for ([_]interface.Metric{ .cosine, .dot }) |metric| {
                    for ([_]usize{ 1, 16, 27, 96, 200 }) |size| {
                        for ([_]usize{ 1, 4, 7, 64 }, [_]usize{ 3, 1, 2, 4 }) |rows, queries| {
                            const one: Case = .{
                                .encoding = encoding,
                                .metric = metric,
                                .dimensions = if (encoding == .binary) size * 8 else size,
                                .rows = rows,
                                .queries = queries,
                            };
                            try one.run(kernels, guard, &digest);
                        }
                    }
                }
            }
            try testing.expectEqual(0xaefff4a8e014efec, digest.final());
        }
    }.case);
}

test "scores: zeros have no direction, parallel vectors stay within 1, NaN is told" {
    try cases.onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            const query = guard.copy(f32, &.{ 0.1, 0.7, -0.3 });
            const rows = guard.alloc(f32, 4 * 3);
            var squares: [scored_rows]f64 = undefined;
            var scores: [1][scored_rows]f64 = undefined;
            const square = twin.dotFloat(query, query);
            const args: interface.Score = .{
                .metric = .cosine,
                .dimensions = 3,
                .queries = @ptrCast(query.ptr),
                .query_count = 1,
                .query_numbers = &.{square},
                .rows = @ptrCast(rows.ptr),
                .row_count = 4,
                .row_scales = null,
                .scores = &scores,
                .squares = &squares,
                .squares_known = false,
            };
            const score = kernels.score[@intFromEnum(interface.Encoding.float32)];
            for (1..1000) |i| {
                const factor: f32 = @floatFromInt(i);
                for (query, 0..) |x, c| {
                    rows[c] = 0;
                    rows[3 + c] = x * factor;
                    rows[6 + c] = -x / factor;
                    rows[9 + c] = x * 1e30;
                }
                try testing.expect(score(&args));
                try testing.expectEqual(0, scores[0][0]);
                for ([_]f64{ 1, -1, 1 }, scores[0][1..4]) |expected, found| {
                    try testing.expect(@abs(found) <= 1);
                    try testing.expectApproxEqAbs(expected, found, 1e-6);
                }
            }
            for ([_]f32{ std.math.nan(f32), std.math.inf(f32), -std.math.inf(f32) }) |bad| {
                rows[5] = bad;
                try testing.expect(!score(&args));
            }
        }
    }.case);
}

test "the best of many scores, in order" {
    var random: Numbers = .init(5);
    for ([_]usize{ 1, 2, 3, 10, 100 }) |capacity| for ([_]usize{ 1, 9, 100, 500 }) |count| {
        var scores: [500]f64 = undefined;
        // Few different ones: most are equal to others.
        for (&scores) |*score| score.* = @floatFromInt(random.below(40));
        var kept: [100]f64 = undefined;
        var indices: [100]u32 = undefined;
        var top: TopK = .{
            .scores = kept[0..capacity],
            .indices = indices[0..capacity],
            .count = 0,
        };
        const first = count / 3;
        top.offer(scores[0..first], 0);
        top.offer(scores[first..count], @intCast(first));
        const found = @min(capacity, count);
        try testing.expectEqual(found, top.count);
        top.sortDownTo(found / 2);
        top.sortDownTo(0);
        var expected: [500]u32 = undefined;
        for (&expected, 0..) |*index, i| index.* = @intCast(i);
        std.mem.sort(u32, expected[0..count], &scores, struct {
            fn isBetter(all: *const [500]f64, a: u32, b: u32) bool {
                return all[a] > all[b] or (all[a] == all[b] and a < b);
            }
        }.isBetter);
        try testing.expectEqualSlices(u32, expected[0..found], indices[0..found]);
        for (indices[0..found], kept[0..found]) |i, score| {
            try testing.expectEqual(scores[i], score);
        }
    };
}
