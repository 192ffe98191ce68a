//! Kernels that work row by row: norms, activations, and the quantisation that follows them while
//! the row is still in the first-level cache.

const std = @import("std");
const interface = @import("interface.zig");
const math = @import("math.zig");
const quantize = @import("quantize.zig");
const simd = @import("simd.zig");

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
        const scale = splat(inverseRms(src, width, args.eps));
        const residual = if (args.residual) |r| r + row * width else null;
        var i: usize = 0;
        while (i < width) : (i += lanes) {
            const n = @min(lanes, width - i);
            const x = loadUpTo(src + i, n) * scale;
            const w = loadUpTo(args.weight + i, n);
            const y = if (residual) |r| mulAdd(x, w, loadUpTo(r + i, n)) else x * w;
            storeUpTo(dst + i, y, n);
        }
        finishRow(&args.sink, dst, row, width);
    }
}

/// `dst = weight · (src - mean) / sqrt(variance + eps) + bias`
pub fn layerNorm(args: *const interface.LayerNorm) callconv(.c) void {
    const width = args.width;
    const count: f32 = @floatFromInt(width);
    for (0..args.rows) |row| {
        const src = args.src + row * width;
        const dst = floatRow(&args.sink, row, width);
        var total = splat(0);
        var i: usize = 0;
        while (i < width) : (i += lanes) total += loadUpTo(src + i, @min(lanes, width - i));
        const mean = simd.sum(total) / count;

        var squares = splat(0);
        i = 0;
        while (i < width) : (i += lanes) {
            const n = @min(lanes, width - i);
            const d = loadUpTo(src + i, n) - firstLanes(splat(mean), n);
            squares = mulAdd(d, d, squares);
        }
        const scale = splat(inverseRoot(simd.sum(squares) / count + args.eps));

        i = 0;
        while (i < width) : (i += lanes) {
            const n = @min(lanes, width - i);
            const d = (loadUpTo(src + i, n) - splat(mean)) * scale;
            const y = mulAdd(d, loadUpTo(args.weight + i, n), loadUpTo(args.bias + i, n));
            storeUpTo(dst + i, y, n);
        }
        finishRow(&args.sink, dst, row, width);
    }
}

/// `dst = f(src)`, or `dst = f(gate) · up`
pub fn activation(args: *const interface.Activation) callconv(.c) void {
    switch (args.kind) {
        .gelu_erf => activate(math.geluErf, args),
        .gelu_tanh => activate(math.geluTanh, args),
        .silu => activate(math.silu, args),
    }
}

inline fn activate(comptime f: anytype, args: *const interface.Activation) void {
    const width = args.width;
    for (0..args.rows) |row| {
        const src = args.src + row * if (args.gated) 2 * width else width;
        const dst = floatRow(&args.sink, row, width);
        var i: usize = 0;
        while (i < width) : (i += lanes) {
            const n = @min(lanes, width - i);
            var y = f(loadUpTo(src + i, n));
            if (args.gated) y *= loadUpTo(src + width + i, n);
            storeUpTo(dst + i, y, n);
        }
        finishRow(&args.sink, dst, row, width);
    }
}

pub inline fn loadUpTo(p: [*]const f32, n: usize) F32 {
    return if (n == lanes) simd.load(p) else simd.loadPart(p, n);
}

pub inline fn storeUpTo(p: [*]f32, v: F32, n: usize) void {
    if (n == lanes) simd.store(p, v) else simd.storePart(p, v, n);
}

/// Zero beyond lane n.
inline fn firstLanes(v: F32, n: usize) F32 {
    if (n == lanes) return v;
    const part: [lanes]f32 = v;
    return simd.loadPart(&part, n);
}
