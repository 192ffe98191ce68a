//! Kernels that work row by row: norms, activations, and the quantisation that follows them while
//! the row is still in the first-level cache.

const std = @import("std");
const interface = @import("interface.zig");
const math = @import("math.zig");
const quantize = @import("quantize.zig");
const simd = @import("simd.zig");
const vectors = @import("vectors.zig");

const loadUpTo = vectors.loadUpTo;
const storeUpTo = vectors.storeUpTo;
const Quantized = interface.Quantized;
const Sink = interface.Sink;
const lanes = simd.lanes;
const F32 = simd.F32;
const splat = simd.splat;
const mulAdd = simd.mulAdd;

/// Where row `row` of a sink is written as float32.
pub inline fn floatRow(sink: *const Sink, row: usize, width: usize) [*]f32 {
    const base = sink.float orelse return sink.scratch;
    return base + row * width;
}

/// Gives a finished row its quantised form, if the sink wants one.
pub inline fn finishRow(sink: *const Sink, values: [*]const f32, row: usize, width: usize) void {
    if (sink.has_quantized) quantize.row(values, sink.quantized.at(row, width), width);
}

/// 1 / sqrt(mean(x²) + eps)
pub inline fn inverseRms(src: [*]const f32, width: usize, eps: f32) f32 {
    const squares: Squares = .{ .src = src };
    return inverseRoot(vectors.total(width, &squares, Squares.add), width, eps);
}

/// 1 / sqrt(total / width + eps); of an overflow NaN rather than 0, which would pass for a row of
/// zeros.
inline fn inverseRoot(total: f32, width: usize, eps: f32) f32 {
    const x = total / @as(f32, @floatFromInt(width)) + eps;
    return if (simd.isFinite(x)) 1.0 / @sqrt(x) else std.math.nan(f32);
}

const Squares = struct {
    src: [*]const f32,
    /// They are taken of what this leaves.
    mean: F32 = splat(0),

    inline fn add(self: *const Squares, sum: F32, i: usize, n: usize) F32 {
        const x = loadUpTo(self.src + i, n);
        return mulAdd(x, x, sum);
    }

    inline fn addCentred(self: *const Squares, sum: F32, i: usize, n: usize) F32 {
        const d = loadUpTo(self.src + i, n) - vectors.firstLanes(self.mean, n);
        return mulAdd(d, d, sum);
    }
};

/// `dst = residual + weight · src / rms(src)`, and then `next = next_weight · dst / rms(dst)`.
pub fn rmsNorm(args: *const interface.RmsNorm) callconv(.c) void {
    const width = args.width;
    for (0..args.rows) |row| {
        const src = args.src + row * width;
        const dst = floatRow(&args.sink, row, width);
        const norm: RowNorm = .{
            .src = src,
            .weight = args.weight,
            .scale = splat(inverseRms(src, width, args.eps)),
            .residual = if (args.residual) |r| r + row * width else undefined,
            .dst = dst,
        };
        const squares = if (args.residual != null)
            vectors.total(width, &norm, RowNorm.add)
        else
            vectors.total(width, &norm, RowNorm.put);
        finishRow(&args.sink, dst, row, width);
        if (args.next_weight) |weight| {
            const next_dst = floatRow(&args.next_sink, row, width);
            const next: RowNorm = .{
                .src = dst,
                .weight = weight,
                .scale = splat(inverseRoot(squares, width, args.eps)),
                .residual = undefined,
                .dst = next_dst,
            };
            _ = vectors.total(width, &next, RowNorm.put);
            finishRow(&args.next_sink, next_dst, row, width);
        }
    }
}

/// Its steps give the squares of what they store.
const RowNorm = struct {
    src: [*]const f32,
    weight: [*]const f32,
    scale: F32,
    residual: [*]const f32,
    dst: [*]f32,

    inline fn put(self: *const RowNorm, squares: F32, i: usize, n: usize) F32 {
        const x = loadUpTo(self.src + i, n) * self.scale;
        const y = x * loadUpTo(self.weight + i, n);
        storeUpTo(self.dst + i, y, n);
        return mulAdd(y, y, squares);
    }

    inline fn add(self: *const RowNorm, squares: F32, i: usize, n: usize) F32 {
        const x = loadUpTo(self.src + i, n) * self.scale;
        const y = mulAdd(x, loadUpTo(self.weight + i, n), loadUpTo(self.residual + i, n));
        storeUpTo(self.dst + i, y, n);
        return mulAdd(y, y, squares);
    }
};

/// `dst = weight · (src - mean) / sqrt(variance + eps) + bias`
pub fn layerNorm(args: *const interface.LayerNorm) callconv(.c) void {
    const width = args.width;
    for (0..args.rows) |row| {
        const src = args.src + row * width;
        const dst = floatRow(&args.sink, row, width);
        const sum = vectors.total(width, src, addRow);
        const mean = splat(sum / @as(f32, @floatFromInt(width)));
        const squares: Squares = .{ .src = src, .mean = mean };
        const total = vectors.total(width, &squares, Squares.addCentred);
        const norm: Centred = .{
            .src = src,
            .mean = mean,
            .scale = splat(inverseRoot(total, width, args.eps)),
            .weight = args.weight,
            .bias = args.bias,
            .dst = dst,
        };
        vectors.each(width, &norm, Centred.put);
        finishRow(&args.sink, dst, row, width);
    }
}

inline fn addRow(src: [*]const f32, sum: F32, i: usize, n: usize) F32 {
    return sum + loadUpTo(src + i, n);
}

const Centred = struct {
    src: [*]const f32,
    mean: F32,
    scale: F32,
    weight: [*]const f32,
    bias: [*]const f32,
    dst: [*]f32,

    inline fn put(self: *const Centred, i: usize, n: usize) void {
        const d = (loadUpTo(self.src + i, n) - self.mean) * self.scale;
        const y = mulAdd(d, loadUpTo(self.weight + i, n), loadUpTo(self.bias + i, n));
        storeUpTo(self.dst + i, y, n);
    }
};

/// `dst = f(src)`, or `dst = f(gate) · up`
pub fn activation(args: *const interface.Activation) callconv(.c) void {
    switch (args.kind) {
        .gelu_erf => activate(math.geluErf, args),
        .gelu_tanh => activate(math.geluTanh, args),
        .silu => activate(math.silu, args),
        .tanh => activate(math.tanh, args),
    }
}

inline fn activate(comptime f: anytype, args: *const interface.Activation) void {
    if (args.gated) activateRows(f, true, args) else activateRows(f, false, args);
}

fn activateRows(
    comptime f: anytype,
    comptime gated: bool,
    args: *const interface.Activation,
) void {
    const Row = struct {
        src: [*]const f32,
        up: [*]const f32,
        dst: [*]f32,

        inline fn put(self: *const @This(), i: usize, n: usize) void {
            const y = f(loadUpTo(self.src + i, n));
            storeUpTo(self.dst + i, if (gated) y * loadUpTo(self.up + i, n) else y, n);
        }
    };
    const end = args.column + args.width;
    for (0..args.rows) |row| {
        const src = args.src + row * args.stride;
        const dst = floatRow(&args.sink, row, args.columns);
        const to: Row = .{ .src = src, .up = src + args.up, .dst = dst + args.column };
        vectors.each(args.width, &to, Row.put);
        if (!args.sink.has_quantized) continue;
        const quantized = args.sink.quantized.at(row, args.columns);
        quantize.part(dst, quantized, args.columns, args.column, end);
    }
}
