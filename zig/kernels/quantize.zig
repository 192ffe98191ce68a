//! Quantised activations: float32 rows to int8 values and their scales.

const interface = @import("interface.zig");
const simd = @import("simd.zig");
const simd_int8 = @import("simd_int8.zig");

const Quantized = interface.Quantized;
const lanes = simd.lanes;
const F32 = simd.F32;
const I32 = simd.I32;
const splat = simd.splat;

/// q = round_half_even(x · 127 / max|x|), scale = max|x| / 127; with two planes 255 · 127 for 127,
/// so that the first alone, in steps of 255 scales, holds the largest exactly. A value that is not
/// finite makes the scale so, and with it every output: it is caught at the end, not here.
pub fn row(src: [*]const f32, dst: Quantized, width: usize) void {
    part(src, dst, width, 0, width);
}

/// Columns `begin … end` of a row of `width`.
pub fn part(src: [*]const f32, dst: Quantized, width: usize, begin: usize, end: usize) void {
    const columns: Columns = .{ .width = width, .begin = begin, .end = end };
    if (dst.planes == 1) {
        ofPlanes(1, src, dst, columns);
    } else {
        ofPlanes(2, src, dst, columns);
    }
}

const Columns = struct { width: usize, begin: usize, end: usize };

inline fn ofPlanes(
    comptime planes: usize,
    src: [*]const f32,
    dst: Quantized,
    columns: Columns,
) void {
    if (dst.step == 32) {
        quantizeColumns(planes, 32, 32, src, dst, columns);
    } else if (dst.scale_block == 16) {
        quantizeColumns(planes, 16, 16, src, dst, columns);
    } else {
        quantizeColumns(planes, 16, 32, src, dst, columns);
    }
}

fn quantizeColumns(
    comptime planes: usize,
    comptime step: usize,
    comptime scale_block: usize,
    src: [*]const f32,
    dst: Quantized,
    columns: Columns,
) void {
    const width = columns.width;
    var column = columns.begin;
    // Blocks done together share the work of summing across lanes and of dividing.
    while (column < columns.end) {
        const blocks = (columns.end - column) / scale_block;
        if (blocks >= 4 and blocks != 6) {
            quantizeBlocks(planes, step, scale_block, 4, src, dst, width, column);
            column += 4 * scale_block;
        } else if (blocks >= 3) {
            quantizeBlocks(planes, step, scale_block, 3, src, dst, width, column);
            column += 3 * scale_block;
        } else {
            quantizeBlocks(planes, step, scale_block, 1, src, dst, width, column);
            column += scale_block;
        }
    }
}

const base = interface.plane_base;

/// What a block's largest magnitude becomes.
fn largestNumber(planes: usize) f32 {
    return if (planes == 1) 127 else 127 * base;
}

/// Blocks below this become zeros: their 127 / max|x| would overflow.
fn magnitudeMin(planes: usize) f32 {
    return if (planes == 1) 1e-36 else 1e-33;
}

const magic_bits: i32 = @bitCast(@as(f32, simd.magic));

inline fn quantizeBlocks(
    comptime planes: usize,
    comptime step: usize,
    comptime scale_block: usize,
    comptime blocks: usize,
    src: [*]const f32,
    dst: Quantized,
    width: usize,
    column: usize,
) void {
    const parts = scale_block / lanes;
    const steps = scale_block / step;
    var x: [blocks][parts]F32 = undefined;
    var largest: [blocks]F32 = @splat(splat(0));
    inline for (0..blocks) |b| {
        inline for (0..parts) |i| {
            x[b][i] = simd.load(src + column + b * scale_block + i * lanes);
            largest[b] = simd.largerMagnitude(largest[b], x[b][i]);
        }
    }
    const magnitude: @Vector(blocks, f32) = simd.maxMagnitudes(blocks, largest);
    const enough = magnitude > @as(@Vector(blocks, f32), @splat(magnitudeMin(planes)));
    const full: @Vector(blocks, f32) = @splat(largestNumber(planes));
    const inverse = @select(f32, enough, full / magnitude, @as(@Vector(blocks, f32), @splat(0)));
    const scale = magnitude / full;

    var totals: [planes][steps][blocks]I32 = @splat(@splat(@splat(@splat(0))));
    inline for (0..blocks) |b| {
        inline for (0..parts) |i| {
            const q = split(planes, x[b][i] * splat(inverse[b]) + splat(simd.magic));
            const at = column + b * scale_block + i * lanes;
            inline for (0..planes) |p| {
                putBytes(dst.values + p * width + at, q[p]);
                totals[p][i * lanes / step][b] +%= @as(I32, @bitCast(q[p]));
            }
        }
    }
    inline for (0..steps) |s| {
        const at = column / step + s;
        var number: @Vector(blocks, i32) = @splat(0);
        inline for (0..planes) |p| {
            const bias: @Vector(blocks, i32) = @splat(@as(i32, step) *% magic_bits);
            const bias_of_dots: @Vector(blocks, i32) = @splat(-@as(i32, simd_int8.dot_bias));
            // It wraps where values are not finite, which the scale tells.
            const total = simd.sums(blocks, totals[p][s]) -% bias;
            number = number *% @as(@Vector(blocks, i32), @splat(base)) +% total;
            const unit: @Vector(blocks, f32) = @splat(if (p + 1 == planes) 1 else base);
            const to = p * (width / step) + at;
            put(f32, blocks, steps, dst.scales + to, scale * unit);
            put(i32, blocks, steps, dst.corrections + to, total *% bias_of_dots);
        }
        const sum = scale * @as(@Vector(blocks, f32), @floatFromInt(number));
        put(f32, blocks, steps, dst.sums + at, sum);
    }
}

/// Of a whole number, as a float to which `magic` was added, its planes likewise.
inline fn split(comptime planes: usize, q: F32) [planes]F32 {
    if (planes == 1) return .{q};
    const magic = splat(simd.magic);
    // No tie: half of an odd base is no whole number.
    const first = simd.mulAdd(q - magic, splat(1.0 / @as(f32, base)), magic);
    return .{ first, simd.mulAdd(first - magic, splat(-base), q) };
}

/// The lowest byte of each lane.
inline fn putBytes(to: [*]i8, q: F32) void {
    // As an array it would be stored byte by byte.
    const bytes: *align(1) @Vector(lanes, i8) = @ptrCast(to);
    bytes.* = @truncate(@as(I32, @bitCast(q)));
}

/// `dst[i · by] = v[i]`
inline fn put(
    comptime T: type,
    comptime n: usize,
    comptime by: usize,
    dst: [*]T,
    v: @Vector(n, T),
) void {
    if (by == 1) {
        dst[0..n].* = v;
    } else {
        inline for (0..n) |i| dst[i * by] = v[i];
    }
}

pub fn rows(args: *const interface.Quantize) callconv(.c) void {
    for (0..args.rows) |i| {
        row(args.src + i * args.width, args.dst.at(i, args.width), args.width);
    }
}
