//! Softmax attention of a few queries at a time over one text, skipping keys outside the window.
//!
//! Scores: 16 keys to a vector, serial over the head. Values: 16 components to a vector, serial
//! over the keys. Tiles are counted from the text's start, so a text's neighbours in a batch, and
//! who computes which tile, change nothing. Heads that share keys and values are done together, so
//! that these are read once for all of them.

const interface = @import("interface.zig");
const math = @import("math.zig");
const rows = @import("rows.zig");
const simd = @import("simd.zig");
const vectors = @import("vectors.zig");

const Args = interface.Attention;
const lanes = simd.lanes;
const F32 = simd.F32;
const query_tile = interface.query_tile;

/// Keys that a tile of queries can see, in whole groups of 16 and exactly.
const Range = struct {
    group_begin: usize,
    group_end: usize,
    end: usize,
};

/// Rows of scores that are worked on together: queries of heads that share keys and values. Row r
/// is query `r % queries` of head `head + r / queries`.
const Block = struct {
    args: *const Args,
    range: Range,
    query: usize,
    queries: usize,
    head: usize,
    heads: usize,
    kv: usize,
    dst: [*]f32,

    fn rowCount(self: *const Block) usize {
        return self.queries * self.heads;
    }

    fn scores(self: *const Block, r: usize) [*]f32 {
        return self.args.scores + r * padded(self.args);
    }

    /// Elements from the first head of the first query.
    fn offset(self: *const Block, r: usize, stride: usize) usize {
        return r % self.queries * stride + (self.head + r / self.queries) * self.args.head_size;
    }
};

pub fn attention(args: *const Args) callconv(.c) void {
    var query = args.query_begin;
    while (query < args.query_end) : (query += query_tile) {
        tile(args, query, @min(query_tile, args.query_end - query));
    }
}

fn tile(args: *const Args, query: usize, queries: usize) void {
    const width = args.head_count * args.head_size;
    const range = visible(args, query, queries);
    const heads_per_kv = args.head_count / args.head_count_kv;
    const dst = if (args.sink.float) |float| float + query * width else args.sink.scratch;
    for (0..args.head_count_kv) |kv| {
        var head = kv * heads_per_kv;
        const end = head + heads_per_kv;
        while (head < end) : (head += interface.heads_together) {
            const block: Block = .{
                .args = args,
                .range = range,
                .query = query,
                .queries = queries,
                .head = head,
                .heads = @min(interface.heads_together, end - head),
                .kv = kv,
                .dst = dst,
            };
            score(&block);
            var totals: [query_tile * interface.heads_together]f32 = undefined;
            for (0..block.rowCount()) |r| {
                totals[r] = softmax(args, range, query + r % queries, block.scores(r));
            }
            mix(&block, &totals);
        }
    }
    for (0..queries) |t| rows.finishRow(&args.sink, dst + t * width, query + t, width);
}

fn visible(args: *const Args, query: usize, n: usize) Range {
    const last = query + n - 1;
    const begin = if (args.reach == 0) 0 else query -| args.reach;
    var end = if (args.reach == 0) args.length else @min(args.length, last + args.reach + 1);
    if (args.causal) end = @min(end, last + 1);
    return .{ .group_begin = begin / lanes, .group_end = (end + lanes - 1) / lanes, .end = end };
}

/// Scores of all rows against all keys in range, `[row][keys from the text's start]`. Keys run
/// outside, so that a panel of them serves all rows from the first-level cache.
fn score(block: *const Block) void {
    if (block.rowCount() <= query_tile) {
        scorePanels(simd.tile_keys_few, block);
    } else {
        scorePanels(simd.tile_keys, block);
    }
}

fn scorePanels(comptime groups: usize, block: *const Block) void {
    var group = block.range.group_begin;
    while (group + groups <= block.range.group_end) : (group += groups) {
        scoreRows(groups, block, group);
    }
    inline for (1..groups) |rest| {
        if (block.range.group_end - group == rest) scoreRows(rest, block, group);
    }
}

fn scoreRows(comptime groups: usize, block: *const Block, group: usize) void {
    const count = block.rowCount();
    var r: usize = 0;
    while (r + simd.tile_scores <= count) : (r += simd.tile_scores) {
        scoreTile(simd.tile_scores, groups, block, r, group);
    }
    inline for (1..simd.tile_scores) |rest| {
        if (count - r == rest) scoreTile(rest, groups, block, r, group);
    }
}

fn scoreTile(
    comptime n: usize,
    comptime groups: usize,
    block: *const Block,
    row: usize,
    group: usize,
) void {
    const args = block.args;
    const width = args.head_count_kv * args.head_size;
    const keys = args.keys + (group * width + block.kv * args.head_size) * lanes;
    var q: [n][*]const f32 = undefined;
    inline for (&q, 0..) |*p, t| {
        p.* = args.src + block.query * args.stride + block.offset(row + t, args.stride);
    }
    var acc: [n][groups]F32 = @splat(@splat(simd.splat(0)));
    for (0..args.head_size) |i| {
        var k: [groups]F32 = undefined;
        inline for (0..groups) |g| k[g] = simd.load(keys + (g * width + i) * lanes);
        inline for (0..n) |t| {
            const x = simd.splat(q[t][i]);
            inline for (0..groups) |g| acc[t][g] = simd.mulAdd(x, k[g], acc[t][g]);
        }
    }
    inline for (0..n) |t| {
        const to = block.scores(row + t) + group * lanes;
        inline for (0..groups) |g| simd.store(to + g * lanes, acc[t][g]);
    }
}

inline fn padded(args: *const Args) usize {
    return (args.length + lanes - 1) / lanes * lanes;
}

/// Turns one query's scores into e^(score - max), zero where it does not see; gives their sum.
fn softmax(args: *const Args, range: Range, query: usize, scores: [*]f32) f32 {
    const own = visible(args, query, 1);
    const begin = if (args.reach == 0) 0 else query -| args.reach;
    const lowest = simd.splat(-3.0e38);

    var largest = lowest;
    for (range.group_begin..range.group_end) |group| {
        const seen = lanesBetween(group * lanes, begin, own.end);
        const s = @select(f32, seen, simd.load(scores + group * lanes), lowest);
        largest = simd.larger(lanes, largest, s);
    }
    const max = simd.splat(simd.max(largest));
    var total = simd.splat(0);
    for (range.group_begin..range.group_end) |group| {
        const seen = lanesBetween(group * lanes, begin, own.end);
        const s = @select(f32, seen, simd.load(scores + group * lanes), simd.splat(0));
        const p = @select(f32, seen, math.exp(s - max), simd.splat(0));
        simd.store(scores + group * lanes, p);
        // Clamping in e^x would hide a score that is not finite; times zero it is a NaN.
        total += simd.mulAdd(s, simd.splat(0), p);
    }
    return simd.sum(total);
}

/// Which of the 16 keys from `first` on lie in `begin..end`.
inline fn lanesBetween(first: usize, begin: usize, end: usize) @Vector(lanes, bool) {
    const index = comptime blk: {
        var all: [lanes]i32 = undefined;
        for (&all, 0..) |*x, i| x.* = i;
        break :blk @as(simd.I32, all);
    };
    const low: simd.I32 = @splat(@as(i32, @intCast(begin)) - @as(i32, @intCast(first)));
    const high: simd.I32 = @splat(@as(i32, @intCast(end)) - @as(i32, @intCast(first)));
    return (index >= low) & (index < high);
}

/// `dst[r] = Σ_j p[r, j] · V[j] / Σ_j p[r, j]`
fn mix(block: *const Block, totals: [*]const f32) void {
    const size = block.args.head_size;
    var i: usize = 0;
    while (i + lanes * simd.tile_values <= size) : (i += lanes * simd.tile_values) {
        mixRows(simd.tile_values, block, totals, i);
    }
    while (i < size) : (i += lanes) mixRows(1, block, totals, i);
}

fn mixRows(comptime count: usize, block: *const Block, totals: [*]const f32, column: usize) void {
    const n = block.rowCount();
    var r: usize = 0;
    while (r + simd.tile_scores <= n) : (r += simd.tile_scores) {
        mixTile(simd.tile_scores, count, block, totals, r, column);
    }
    inline for (1..simd.tile_scores) |rest| {
        if (n - r == rest) mixTile(rest, count, block, totals, r, column);
    }
}

fn mixTile(
    comptime n: usize,
    comptime count: usize,
    block: *const Block,
    totals: [*]const f32,
    row: usize,
    column: usize,
) void {
    const args = block.args;
    const values = args.src + column +
        (args.head_count + args.head_count_kv + block.kv) * args.head_size;
    const part = @min(lanes, args.head_size - column);
    var p: [n][*]const f32 = undefined;
    inline for (&p, 0..) |*x, t| x.* = block.scores(row + t);
    var acc: [n][count]F32 = @splat(@splat(simd.splat(0)));
    for (block.range.group_begin * lanes..block.range.end) |j| {
        const value = values + j * args.stride;
        var v: [count]F32 = undefined;
        inline for (0..count) |x| {
            v[x] = if (count > 1) simd.load(value + x * lanes) else vectors.loadUpTo(value, part);
        }
        inline for (0..n) |t| {
            const weight = simd.splat(p[t][j]);
            inline for (0..count) |x| acc[t][x] = simd.mulAdd(weight, v[x], acc[t][x]);
        }
    }
    inline for (0..n) |t| {
        const to = block.dst + block.offset(row + t, args.head_count * args.head_size) + column;
        inline for (0..count) |x| {
            const y = acc[t][x] / simd.splat(totals[row + t]);
            if (count > 1) simd.store(to + x * lanes, y) else vectors.storeUpTo(to, y, part);
        }
    }
}
