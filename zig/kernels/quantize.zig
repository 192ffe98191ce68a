//! Quantised activations: float32 rows to int8 values and their scales.

const interface = @import("interface.zig");
const simd = @import("simd.zig");

const Quantized = interface.Quantized;
const lanes = simd.lanes;
const F32 = simd.F32;
const splat = simd.splat;

/// q = round_half_even(x · 127 / max|x|), scale = max|x| / 127. A value that is not finite makes
/// the scale so, and with it every output: it is caught at the end, not here.
pub fn row(src: [*]const f32, dst: Quantized, width: usize) void {
    if (dst.step == 32) {
        quantizeSteps(32, 32, src, dst, width);
    } else if (dst.scale_block == 16) {
        quantizeSteps(16, 16, src, dst, width);
    } else {
        quantizeSteps(16, 32, src, dst, width);
    }
}

/// Blocks below this become zeros: their 127 / max|x| would overflow.
const magnitude_min = 1e-36;

fn quantizeSteps(
    comptime step: usize,
    comptime scale_block: usize,
    src: [*]const f32,
    dst: Quantized,
    width: usize,
) void {
    const parts = scale_block / lanes;
    var column: usize = 0;
    while (column < width) : (column += scale_block) {
        var x: [parts]F32 = undefined;
        var largest = splat(0);
        inline for (0..parts) |i| {
            x[i] = simd.load(src + column + i * lanes);
            largest = simd.largerMagnitude(largest, x[i]);
        }
        const magnitude = simd.maxMagnitude(largest);
        const inverse: f32 = if (magnitude > magnitude_min) 127.0 / magnitude else 0;
        var totals: [scale_block / step]i32 = @splat(0);
        inline for (0..parts) |i| {
            const q = toInt8(x[i] * splat(inverse));
            dst.values[column + i * lanes ..][0..lanes].* = @as(@Vector(lanes, i8), @intCast(q));
            totals[i * lanes / step] += @reduce(.Add, q);
        }
        const scale = magnitude / 127.0;
        inline for (0..scale_block / step) |i| {
            const at = column / step + i;
            dst.scales[at] = scale;
            dst.corrections[at] = -@as(i32, simd.weight_bias) * totals[i];
            dst.sums[at] = scale * @as(f32, @floatFromInt(totals[i]));
        }
    }
}

/// Clamped, so that values that are not finite convert to something.
inline fn toInt8(v: F32) simd.I32 {
    const low = splat(-127);
    const high = splat(127);
    const above = @select(f32, v > low, v, low);
    return @intFromFloat(simd.round(@select(f32, above < high, above, high)));
}

pub fn rows(args: *const interface.Quantize) callconv(.c) void {
    for (0..args.rows) |i| {
        row(args.src + i * args.width, args.dst.at(i, args.width), args.width);
    }
}
