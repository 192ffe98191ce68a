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
    var squares = splat(0);
    var i: usize = 0;
    while (i + lanes <= width) : (i += lanes) {
        const x = simd.load(src + i);
        squares = mulAdd(x, x, squares);
    }
    if (i < width) {
        const x = simd.loadPart(src + i, width - i);
        squares = mulAdd(x, x, squares);
    }
    return inverseRoot(simd.sum(squares) / @as(f32, @floatFromInt(width)) + eps);
}

/// 1 / sqrt(x); of an overflow NaN rather than 0, which would pass for a row of zeros.
inline fn inverseRoot(x: f32) f32 {
    return if (simd.isFinite(x)) 1.0 / @sqrt(x) else std.math.nan(f32);
}

/// `dst = residual + weight · src / rms(src)`
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
        if (args.residual != null) {
            vectors.each(width, &norm, RowNorm.add);
        } else {
            vectors.each(width, &norm, RowNorm.put);
        }
        finishRow(&args.sink, dst, row, width);
    }
}

const RowNorm = struct {
    src: [*]const f32,
    weight: [*]const f32,
    scale: F32,
    residual: [*]const f32,
    dst: [*]f32,

    inline fn put(self: *const RowNorm, i: usize, n: usize) void {
        const x = loadUpTo(self.src + i, n) * self.scale;
        storeUpTo(self.dst + i, x * loadUpTo(self.weight + i, n), n);
    }

    inline fn add(self: *const RowNorm, i: usize, n: usize) void {
        const x = loadUpTo(self.src + i, n) * self.scale;
        const w = loadUpTo(self.weight + i, n);
        storeUpTo(self.dst + i, mulAdd(x, w, loadUpTo(self.residual + i, n)), n);
    }
};

/// `dst = weight · (src - mean) / sqrt(variance + eps) + bias`
pub fn layerNorm(args: *const interface.LayerNorm) callconv(.c) void {
    const width = args.width;
    const count: f32 = @floatFromInt(width);
    for (0..args.rows) |row| {
        const src = args.src + row * width;
        const dst = floatRow(&args.sink, row, width);
        var total: Sum = .{ .src = src };
        vectors.each(width, &total, Sum.add);
        const mean = simd.sum(total.sum) / count;
        var squares: Sum = .{ .src = src, .mean = splat(mean) };
        vectors.each(width, &squares, Sum.addSquare);
        const scale = inverseRoot(simd.sum(squares.sum) / count + args.eps);
        const norm: Centred = .{
            .src = src,
            .mean = splat(mean),
            .scale = splat(scale),
            .weight = args.weight,
            .bias = args.bias,
            .dst = dst,
        };
        vectors.each(width, &norm, Centred.put);
        finishRow(&args.sink, dst, row, width);
    }
}

const Sum = struct {
    src: [*]const f32,
    mean: F32 = splat(0),
    sum: F32 = splat(0),

    inline fn add(self: *Sum, i: usize, n: usize) void {
        self.sum += loadUpTo(self.src + i, n);
    }

    inline fn addSquare(self: *Sum, i: usize, n: usize) void {
        const d = loadUpTo(self.src + i, n) - vectors.firstLanes(self.mean, n);
        self.sum = mulAdd(d, d, self.sum);
    }
};

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
    const width = args.width;
    const Row = struct {
        src: [*]const f32,
        up: [*]const f32,
        dst: [*]f32,

        inline fn put(self: *const @This(), i: usize, n: usize) void {
            const y = f(loadUpTo(self.src + i, n));
            storeUpTo(self.dst + i, if (gated) y * loadUpTo(self.up + i, n) else y, n);
        }
    };
    for (0..args.rows) |row| {
        const src = args.src + row * if (gated) 2 * width else width;
        const dst = floatRow(&args.sink, row, width);
        vectors.each(width, &Row{ .src = src, .up = src + width, .dst = dst }, Row.put);
        finishRow(&args.sink, dst, row, width);
    }
}
