//! Softmax attention of a few queries at a time over one text, skipping keys outside the window.
//!
//! Scores: 16 keys to a vector, serial over the head. Values: 16 components to a vector, serial
//! over the keys. Tiles are counted from the text's start, so a text's neighbours in a batch, and
//! who computes which tile, change nothing.

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

pub fn attention(args: *const Args) callconv(.c) void {
    var query = args.query_begin;
    while (query < args.query_end) : (query += query_tile) {
        const count = @min(query_tile, args.query_end - query);
        inline for (1..query_tile + 1) |n| {
            if (count == n) tile(n, args, query);
        }
    }
}

fn tile(comptime n: usize, args: *const Args, query: usize) void {
    const width = args.head_count * args.head_size;
    const range = visible(args, query, n);
    const heads_per_kv = args.head_count / args.head_count_kv;
    const dst = if (args.sink.float) |float| float + query * width else args.sink.scratch;
    for (0..args.head_count) |h| {
        const kv = h / heads_per_kv;
        score(n, args, range, query, h, kv);
        var totals: [n]f32 = undefined;
        inline for (0..n) |t| totals[t] = softmax(args, range, query + t, t);
        mix(n, args, range, totals, kv, dst + h * args.head_size);
    }
    inline for (0..n) |t| rows.finishRow(&args.sink, dst + t * width, query + t, width);
}

fn visible(args: *const Args, query: usize, n: usize) Range {
    const last = query + n - 1;
    const begin = if (args.reach == 0) 0 else query -| args.reach;
    var end = if (args.reach == 0) args.length else @min(args.length, last + args.reach + 1);
    if (args.causal) end = @min(end, last + 1);
    return .{ .group_begin = begin / lanes, .group_end = (end + lanes - 1) / lanes, .end = end };
}

/// Scores of `n` queries against all keys in range, `[query][keys from the text's start]`.
fn score(
    comptime n: usize,
    args: *const Args,
    range: Range,
    query: usize,
    h: usize,
    kv: usize,
) void {
    var group = range.group_begin;
    while (group + 2 <= range.group_end) : (group += 2) {
        scoreGroups(n, 2, args, query, h, kv, group);
    }
    if (group < range.group_end) scoreGroups(n, 1, args, query, h, kv, group);
}

inline fn scoreGroups(
    comptime n: usize,
    comptime groups: usize,
    args: *const Args,
    query: usize,
    h: usize,
    kv: usize,
    group: usize,
) void {
    const width = args.head_count_kv * args.head_size;
    const q = args.src + query * args.stride + h * args.head_size;
    var acc: [n][groups]F32 = @splat(@splat(simd.splat(0)));
    for (0..args.head_size) |i| {
        var k: [groups]F32 = undefined;
        inline for (0..groups) |g| {
            k[g] = simd.load(args.keys + ((group + g) * width + kv * args.head_size + i) * lanes);
        }
        inline for (0..n) |t| {
            const x = simd.splat(q[t * args.stride + i]);
            inline for (0..groups) |g| acc[t][g] = simd.mulAdd(x, k[g], acc[t][g]);
        }
    }
    inline for (0..n) |t| {
        inline for (0..groups) |g| {
            simd.store(args.scores + t * padded(args) + (group + g) * lanes, acc[t][g]);
        }
    }
}

inline fn padded(args: *const Args) usize {
    return (args.length + lanes - 1) / lanes * lanes;
}

/// Turns one query's scores into e^(score - max), zero where it does not see; gives their sum.
fn softmax(args: *const Args, range: Range, query: usize, t: usize) f32 {
    const scores = args.scores + t * padded(args);
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

/// `dst[t] = Σ_j p[t, j] · V[j] / Σ_j p[t, j]`
fn mix(
    comptime n: usize,
    args: *const Args,
    range: Range,
    totals: [n]f32,
    kv: usize,
    dst: [*]f32,
) void {
    const size = args.head_size;
    var i: usize = 0;
    while (i + lanes * simd.tile_values <= size) : (i += lanes * simd.tile_values) {
        mixColumns(n, simd.tile_values, args, range, totals, kv, dst, i);
    }
    while (i < size) : (i += lanes) mixColumns(n, 1, args, range, totals, kv, dst, i);
}

inline fn mixColumns(
    comptime n: usize,
    comptime count: usize,
    args: *const Args,
    range: Range,
    totals: [n]f32,
    kv: usize,
    dst: [*]f32,
    column: usize,
) void {
    const width = args.head_count * args.head_size;
    const offset = (args.head_count + args.head_count_kv + kv) * args.head_size + column;
    const part = @min(lanes, args.head_size - column);
    var acc: [n][count]F32 = @splat(@splat(simd.splat(0)));
    for (range.group_begin * lanes..range.end) |j| {
        const value = args.src + j * args.stride + offset;
        var v: [count]F32 = undefined;
        inline for (0..count) |x| {
            v[x] = if (count > 1) simd.load(value + x * lanes) else vectors.loadUpTo(value, part);
        }
        inline for (0..n) |t| {
            const p = simd.splat(args.scores[t * padded(args) + j]);
            inline for (0..count) |x| acc[t][x] = simd.mulAdd(p, v[x], acc[t][x]);
        }
    }
    inline for (0..n) |t| {
        inline for (0..count) |x| {
            const y = acc[t][x] / simd.splat(totals[t]);
            const to = dst + t * width + column + x * lanes;
            if (count > 1) simd.store(to, y) else vectors.storeUpTo(to, y, part);
        }
    }
}
