//! Float vectors. With simd_int8.zig, its int8 half, and simd_tiles.zig the only file that asks
//! which instructions there are.
//! Everything it offers gives the same bits on every CPU: the operations are IEEE 754's own.

const builtin = @import("builtin");
const std = @import("std");
const interface = @import("interface.zig");

pub const lanes = interface.lanes;
pub const F32 = @Vector(lanes, f32);
pub const I32 = @Vector(lanes, i32);

const x86 = builtin.cpu.arch == .x86_64;
const has_vnni_512 = x86 and builtin.cpu.has(.x86, .avx512vnni);

/// Register tile of the float matmul.
pub const float_tile_tokens = if (has_vnni_512) 6 else 4;

/// Register tiles of attention: rows of scores, times groups of keys (more of them when there are
/// few rows), or times vectors of a value row.
pub const tile_scores = if (has_vnni_512) 6 else 4;
pub const tile_keys = if (has_vnni_512) 2 else 1;
pub const tile_keys_few = if (has_vnni_512) 3 else 1;
pub const tile_values = if (has_vnni_512) 4 else 1;

pub fn strided(comptime n: usize, comptime from: i32, comptime by: i32) @Vector(n, i32) {
    @setEvalBranchQuota(10_000); // many shuffles share one evaluation
    var mask: [n]i32 = undefined;
    for (&mask, 0..) |*m, i| m.* = from + by * @as(i32, @intCast(i));
    return mask;
}

pub inline fn splat(x: f32) F32 {
    return @splat(x);
}

pub inline fn load(p: [*]const f32) F32 {
    return p[0..lanes].*;
}

pub inline fn store(p: [*]f32, v: F32) void {
    p[0..lanes].* = v;
}

/// The first `n` lanes from memory, zero in the others.
pub inline fn loadPart(p: [*]const f32, n: usize) F32 {
    var part: [lanes]f32 = @splat(0);
    for (0..n) |i| part[i] = p[i];
    return part;
}

pub inline fn storePart(p: [*]f32, v: F32, n: usize) void {
    const part: [lanes]f32 = v;
    for (0..n) |i| p[i] = part[i];
}

pub inline fn mulAdd(a: F32, b: F32, c: F32) F32 {
    return @mulAdd(F32, a, b, c);
}

/// The one tree by which 16 lanes become a sum: halves onto halves.
pub inline fn sum(v: anytype) std.meta.Child(@TypeOf(v)) {
    const T = std.meta.Child(@TypeOf(v));
    const a = cut(T, 8, v, 0) + cut(T, 8, v, 8);
    const b = cut(T, 4, a, 0) + cut(T, 4, a, 4);
    const c = cut(T, 2, b, 0) + cut(T, 2, b, 2);
    return c[0] + c[1];
}

/// The larger magnitude of each lane, as `maxMagnitude` orders them.
pub inline fn largerMagnitude(a: F32, b: F32) F32 {
    const U32 = @Vector(lanes, u32);
    return @bitCast(@max(@as(U32, @bitCast(@abs(a))), @as(U32, @bitCast(@abs(b)))));
}

/// The largest |lane| of each vector. As integers the magnitudes of floats order like the floats,
/// and NaN comes last.
pub inline fn maxMagnitudes(comptime n: usize, v: [n]F32) @Vector(n, f32) {
    const Larger = struct {
        inline fn of(a: anytype, b: @TypeOf(a)) @TypeOf(a) {
            return @max(a, b);
        }
    };
    var bits: [n]@Vector(lanes, u32) = undefined;
    inline for (&bits, v) |*x, y| x.* = @bitCast(@abs(y));
    return @bitCast(across(n, u32, bits, Larger.of));
}

/// The sum of each vector's lanes; it wraps.
pub inline fn sums(comptime n: usize, v: [n]I32) @Vector(n, i32) {
    const Sum = struct {
        inline fn of(a: anytype, b: @TypeOf(a)) @TypeOf(a) {
            return a +% b;
        }
    };
    return across(n, i32, v, Sum.of);
}

/// Combines the 16 lanes of each vector into one, by an operation for which order does not matter.
/// Up to four vectors share the steps: their halves make two vectors, and these make one.
inline fn across(
    comptime n: usize,
    comptime T: type,
    v: [n]@Vector(lanes, T),
    comptime combine: anytype,
) @Vector(n, T) {
    if (n == 1) {
        const a = combine(cut(T, 8, v[0], 0), cut(T, 8, v[0], 8));
        const b = combine(cut(T, 4, a, 0), cut(T, 4, a, 4));
        const c = combine(cut(T, 2, b, 0), cut(T, 2, b, 2));
        return combine(cut(T, 1, c, 0), cut(T, 1, c, 1));
    }
    if (n != 3 and n != 4) @compileError("one vector, three or four");
    const first = fold(T, 8, v[0], v[1], combine);
    const second = fold(T, 8, v[2], v[n - 1], combine);
    const all = fold(T, 4, first, second, combine);
    const pairs = combine(all, @shuffle(T, all, undefined, exchanged(2)));
    const singles = combine(pairs, @shuffle(T, pairs, undefined, exchanged(1)));
    return @shuffle(T, singles, undefined, strided(n, 0, 4));
}

/// Pieces of `2 · width` lanes of `a` and then of `b` become pieces of `width`: their two halves
/// combined.
inline fn fold(
    comptime T: type,
    comptime width: usize,
    a: @Vector(lanes, T),
    b: @Vector(lanes, T),
    comptime combine: anytype,
) @Vector(lanes, T) {
    const low, const high = comptime blk: {
        var masks: [2][lanes]i32 = undefined;
        for (0..lanes) |i| {
            const from = i % (lanes / 2);
            const at: i32 = @intCast(from / width * 2 * width + from % width);
            for (&masks, [_]i32{ 0, width }) |*mask, offset| {
                mask[i] = if (i < lanes / 2) at + offset else ~(at + offset);
            }
        }
        break :blk .{ masks[0], masks[1] };
    };
    return combine(@shuffle(T, a, b, low), @shuffle(T, a, b, high));
}

/// Neighbours at this distance change places.
fn exchanged(comptime distance: usize) @Vector(lanes, i32) {
    var mask: [lanes]i32 = undefined;
    for (&mask, 0..) |*m, i| m.* = @intCast(i ^ distance);
    return mask;
}

/// 16 × 16. Interleaving the halves of the list turns the 8 bits of an element's place by one;
/// after four times row and lane have changed places.
pub inline fn transpose(v: [lanes]F32) [lanes]F32 {
    const first, const second = comptime blk: {
        var masks: [2][lanes]i32 = undefined;
        for (&masks, 0..) |*mask, part| for (mask, 0..) |*m, i| {
            const at: i32 = @intCast(part * lanes / 2 + i / 2);
            m.* = if (i % 2 == 0) at else ~at;
        };
        break :blk .{ masks[0], masks[1] };
    };
    var from = v;
    inline for (0..4) |_| {
        var to: [lanes]F32 = undefined;
        inline for (0..lanes / 2) |i| {
            to[2 * i] = @shuffle(f32, from[i], from[i + lanes / 2], first);
            to[2 * i + 1] = @shuffle(f32, from[i], from[i + lanes / 2], second);
        }
        from = to;
    }
    return from;
}

inline fn cut(comptime T: type, comptime n: usize, v: anytype, comptime from: i32) @Vector(n, T) {
    return @shuffle(T, v, undefined, strided(n, from, 1));
}

/// Largest lane by compare and select: `@max` may treat -0.0 differently from CPU to CPU.
pub inline fn max(v: F32) f32 {
    const a = larger(8, cut(f32, 8, v, 0), cut(f32, 8, v, 8));
    const b = larger(4, cut(f32, 4, a, 0), cut(f32, 4, a, 4));
    const c = larger(2, cut(f32, 2, b, 0), cut(f32, 2, b, 2));
    return if (c[0] > c[1]) c[0] else c[1];
}

pub inline fn larger(comptime n: usize, a: @Vector(n, f32), b: @Vector(n, f32)) @Vector(n, f32) {
    return @select(f32, a > b, a, b);
}

/// 1.5 · 2^23. For |x| < 2^22, `x + magic` has no bits for a fraction: it is x rounded half to
/// even, and its lowest bits are that integer.
pub const magic = 12582912.0;

/// 16 stored floats from element `at` on, as float32; exact for every format.
pub inline fn widen(comptime id: interface.FloatId, base: *const anyopaque, at: usize) F32 {
    switch (id) {
        .f32 => return load(@as([*]const f32, @ptrCast(@alignCast(base))) + at),
        .f16 => {
            const p: [*]const f16 = @ptrCast(@alignCast(base));
            const v: @Vector(lanes, f16) = p[at..][0..lanes].*;
            return v;
        },
        .bf16 => {
            const p: [*]const u16 = @ptrCast(@alignCast(base));
            const v: @Vector(lanes, u16) = p[at..][0..lanes].*;
            return @bitCast(@as(@Vector(lanes, u32), v) << @splat(16));
        },
    }
}

pub inline fn isFinite(x: f32) bool {
    return @as(u32, @bitCast(x)) & 0x7f80_0000 != 0x7f80_0000;
}
