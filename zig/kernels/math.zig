//! Elementary functions on 16 lanes, from additions, multiplications and divisions alone: the same
//! bits on every CPU, where two C libraries would differ.

const simd = @import("simd.zig");
const F32 = simd.F32;
const splat = simd.splat;
const mulAdd = simd.mulAdd;

const log2e = 1.44269504088896340736;
/// ln 2 in two parts; the first has 9 trailing zero bits, so that n · ln2_high is exact.
const ln2_high = 0.693145751953125;
const ln2_low = 1.42860682030941723212e-6;

/// Below this float32 has no normal result.
pub const exp_min = -87.0;
pub const exp_max = 88.0;

/// e^x for x clamped to -87 … 88; relative error below 1.2e-7.
///
/// x = n ln 2 + r, e^r = 1 + r + r² P(r) with P interpolating at Chebyshev nodes of |r| ≤ ln2 / 2.
pub inline fn exp(x: F32) F32 {
    const low = splat(exp_min);
    const high = splat(exp_max);
    const above = @select(f32, x > low, x, low);
    const v = @select(f32, above < high, above, high);
    const shifted = v * splat(log2e) + splat(simd.magic);
    const n = shifted - splat(simd.magic);
    const r = mulAdd(n, splat(-ln2_low), mulAdd(n, splat(-ln2_high), v));
    const p = polynomial(r, &.{
        0.5,
        0.1666666716337204,
        0.04166646674275398,
        0.00833331048488617,
        0.0013933641603216529,
        0.00019890980911441147,
    });
    return scale(splat(1) + mulAdd(r * r, p, r), shifted);
}

/// e · 2^n for `shifted = n + magic`, whose lowest bits are n; e near 1 and the result normal, so
/// that n is simply added to the exponent.
inline fn scale(e: F32, shifted: F32) F32 {
    const n = @as(simd.I32, @bitCast(shifted)) << @splat(23);
    return @bitCast(@as(simd.I32, @bitCast(e)) +% n);
}

/// x Φ(x), Φ being the normal distribution; absolute error below 3e-7.
pub inline fn geluErf(x: F32) F32 {
    return gelu(x, &.{
        -1.0,
        -1.1511578559875488,
        -0.4588736593723297,
        -0.05329941213130951,
        0.00801879446953535,
        -0.000752812426071614,
        3.142701825709082e-05,
    });
}

/// x (1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³): x Φ(x) where Φ(x) is 1 / (1 + e^-2u);
/// absolute error below 4e-7.
pub inline fn geluTanh(x: F32) F32 {
    return gelu(x, &.{
        -1.0,
        -1.1510305404663086,
        -0.45992347598075867,
        -0.04899856075644493,
        0.0033110601361840963,
        0.004159160424023867,
        -0.0026134641375392675,
        0.00048108567716553807,
        -3.022278360731434e-05,
    });
}

/// x Φ(x) for a Φ with Φ(x) + Φ(-x) = 1, without a division.
///
/// With t = |x| it is x⁺ - t Φ(-t), and Φ(-t) = 2^Q(t). Beyond t = 6 the second term is below 1e-8.
/// Q is a minimax fit to log2 Φ(-t), weighted by t Φ(-t) and exact at 0.
inline fn gelu(x: F32, comptime q_coefficients: []const f32) F32 {
    const half = x * splat(0.5);
    // An infinity stays one or becomes NaN.
    const positive = half + @abs(half);
    const magnitude = @abs(x);
    const six = splat(6);
    const t = @select(f32, magnitude < six, magnitude, six);
    const q = polynomial(t, q_coefficients);
    const shifted = q + splat(simd.magic);
    const r = q - (shifted - splat(simd.magic));
    const e = polynomial(r, &.{
        1.0,
        0.6931468844413757,
        0.24022234976291656,
        0.05550806224346161,
        0.00967186689376831,
        0.0013246908783912659,
    });
    return mulAdd(-t, scale(e, shifted), positive);
}

/// x / (1 + e^-x).
pub inline fn silu(x: F32) F32 {
    return x / (splat(1) + exp(-x));
}

/// 1 - 2 / (1 + e^2x); absolute error below 3e-7. What is not finite becomes NaN, so that no
/// saturation hides it.
pub inline fn tanh(x: F32) F32 {
    const y = splat(1) - splat(2) / (splat(1) + exp(x + x));
    return mulAdd(x, splat(0), y);
}

/// Σ c_i x^i by Horner's rule.
inline fn polynomial(x: F32, comptime c: []const f32) F32 {
    var result = splat(c[c.len - 1]);
    comptime var i = c.len - 1;
    inline while (i > 0) {
        i -= 1;
        result = mulAdd(result, x, splat(c[i]));
    }
    return result;
}
