//! Heads and attention, against their twins.

const std = @import("std");
const cases = @import("cases.zig");
const interface = @import("../kernels/interface.zig");
const Guard = @import("guard.zig").Guard;
const Numbers = @import("numbers.zig").Numbers;
const twin = @import("twin.zig");

const lanes = interface.lanes;
const score_rows = interface.query_tile * interface.heads_together;
const testing = std.testing;
const onEachVariant = cases.onEachVariant;
const expectBits = cases.expectBits;
const randomFloats = cases.randomFloats;
const floatSink = cases.floatSink;

test "prepare_heads and attention: windows, causal, shared heads, odd sizes" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            const shapes = [_]twin.AttentionShape{
                .of(3, 1, 64, 45, 0, false),
                .of(4, 2, 16, 33, 5, false),
                .of(2, 2, 40, 21, 0, true),
                .of(2, 1, 128, 70, 16, false),
                .of(1, 1, 8, 1, 0, false),
                .of(4, 4, 32, 18, 3, true),
                .of(5, 1, 16, 19, 0, false),
            };
            for (shapes) |shape| for ([_]Heads{ .plain, .normed, .turned }) |heads| {
                try caseAttention(kernels, guard, shape, heads);
            };
        }
    }.case);
}

/// What a model does to its heads: nothing, a norm, or a norm and a rotation.
const Heads = enum { plain, normed, turned };

fn caseAttention(
    kernels: *const interface.Kernels,
    guard: *Guard,
    given: twin.AttentionShape,
    kind: Heads,
) !void {
    var shape = given;
    shape.key_scale = 0.3;
    var numbers: Numbers = .init(shape.length);
    const size = shape.head_size;
    const groups = (shape.length + lanes - 1) / lanes;
    const found = randomFloats(guard, &numbers, shape.length * shape.stride());
    const expected = guard.copy(f32, found);
    const keys = guard.alloc(f32, groups * lanes * shape.head_count_kv * size);
    try prepareBoth(kernels, guard, shape, kind, expected, found, keys);

    const width = shape.head_count * size;
    const want = guard.alloc(f32, shape.length * width);
    const got = guard.alloc(f32, shape.length * width);
    for (0..shape.length) |q| twin.attention(shape, expected, q, want[q * width ..][0..width]);
    const scores = guard.alloc(f32, score_rows * groups * lanes);
    // In two calls, as two threads would.
    const middle = shape.length / 2 / interface.query_tile * interface.query_tile;
    for ([_][2]usize{ .{ 0, middle }, .{ middle, shape.length } }) |range| {
        kernels.attention(&.{
            .src = found.ptr,
            .stride = shape.stride(),
            .keys = keys.ptr,
            .sink = floatSink(got),
            .scores = scores.ptr,
            .head_count = shape.head_count,
            .head_count_kv = shape.head_count_kv,
            .head_size = size,
            .length = shape.length,
            .query_begin = range[0],
            .query_end = range[1],
            .reach = shape.reach,
            .causal = shape.causal,
        });
    }
    try expectBits(want, got);
}

/// The kernel on `found`, the twin on `expected`.
fn prepareBoth(
    kernels: *const interface.Kernels,
    guard: *Guard,
    shape: twin.AttentionShape,
    kind: Heads,
    expected: []f32,
    found: []f32,
    keys: []f32,
) !void {
    var numbers: Numbers = .init(7);
    const size = shape.head_size;
    const query_norm = randomFloats(guard, &numbers, size);
    const key_norm = randomFloats(guard, &numbers, size);
    const rope = randomFloats(guard, &numbers, shape.length * size);
    const heads = shape.head_count + shape.head_count_kv;
    for (0..shape.length) |p| for (0..heads) |h| twin.prepareHead(
        expected[p * shape.stride() + h * size ..][0..size],
        if (kind == .plain) null else if (h < shape.head_count) query_norm else key_norm,
        if (kind == .turned) rope[p * size ..][0..size] else null,
        1e-6,
    );
    kernels.prepare_heads(&.{
        .src = found.ptr,
        .stride = shape.stride(),
        .keys = keys.ptr,
        .query_norm = if (kind == .plain) null else query_norm.ptr,
        .key_norm = if (kind == .plain) null else key_norm.ptr,
        .rope = if (kind == .turned) rope.ptr else null,
        .eps = 1e-6,
        .key_scale = shape.key_scale,
        .head_count = shape.head_count,
        .head_count_kv = shape.head_count_kv,
        .head_size = size,
        .length = shape.length,
        .group_begin = 0,
        .group_end = (shape.length + lanes - 1) / lanes,
    });
    try expectBits(expected, found);
}

test "a score that is not finite shows in the result of every query that sees it" {
    try onEachVariant(struct {
        fn case(kernels: *const interface.Kernels, guard: *Guard) !void {
            for ([_]f32{ std.math.nan(f32), std.math.inf(f32), -std.math.inf(f32) }) |bad| {
                try caseBadKey(kernels, guard, bad);
            }
        }
    }.case);
}

/// One head of 16 over 40 tokens with a reach of 4; key 20 has a bad component.
fn caseBadKey(kernels: *const interface.Kernels, guard: *Guard, bad: f32) !void {
    const length = 40;
    const reach = 4;
    const size = 16;
    var numbers: Numbers = .init(4);
    const src = randomFloats(guard, &numbers, length * 3 * size);
    const keys = guard.alloc(f32, 48 * size);
    @memset(keys, 1);
    keys[(16 + 3) * size + 4] = bad; // group 1, component 3, lane 4
    const found = guard.alloc(f32, length * size);
    const scores = guard.alloc(f32, score_rows * 48);
    kernels.attention(&.{
        .src = src.ptr,
        .stride = 3 * size,
        .keys = keys.ptr,
        .sink = floatSink(found),
        .scores = scores.ptr,
        .head_count = 1,
        .head_count_kv = 1,
        .head_size = size,
        .length = length,
        .query_begin = 0,
        .query_end = length,
        .reach = reach,
        .causal = false,
    });
    for (0..length) |query| {
        const sees = query + reach >= 20 and query <= 20 + reach;
        for (found[query * size ..][0..size]) |x| {
            try testing.expectEqual(sees, std.math.isNan(x));
        }
    }
}
