//! Integer dots of packed weights and quantised activations, by what each CPU has for them. With
//! simd.zig the only file that asks which instructions there are; all of them give the same, exact
//! numbers.

const builtin = @import("builtin");
const simd = @import("simd.zig");

const lanes = simd.lanes;
const I32 = simd.I32;

/// 16 rows × 4 columns of packed weights.
pub const Bytes = @Vector(4 * lanes, u8);

const x86 = builtin.cpu.arch == .x86_64;

const Means = enum { dpbusd_512, dpbusd_256, maddubs, plain };

const means: Means = if (x86 and builtin.cpu.has(.x86, .avx512vnni))
    .dpbusd_512
else if (x86 and builtin.cpu.has(.x86, .avxvnni))
    .dpbusd_256
else if (x86 and builtin.cpu.has(.x86, .avx2))
    .maddubs
else
    .plain;

/// vpdpbusd multiplies unsigned by signed bytes, so the weights are stored as `w + 128` there.
pub const weight_bias: u8 = switch (means) {
    .dpbusd_512, .dpbusd_256 => 128,
    .maddubs, .plain => 0,
};

/// Register tile: outputs are independent, so its shape never changes a bit. Each plane of a
/// token's activations has sums of its own.
pub fn tileOf(planes: usize) struct { tokens: usize, groups: usize } {
    return switch (means) {
        .dpbusd_512 => .{ .tokens = 4, .groups = if (planes == 1) 3 else 2 },
        .dpbusd_256, .maddubs => .{ .tokens = 4 / planes, .groups = 1 },
        .plain => .{ .tokens = 2 / planes, .groups = 1 },
    };
}

/// Rows whose sums a register holds. A group of 16 is done in as many passes as it takes, so that
/// the sums of several tokens stay in registers.
const part = switch (means) {
    .dpbusd_512 => 16,
    .dpbusd_256, .maddubs => 8,
    .plain => 4,
};
const passes = lanes / part;

const Part = @Vector(part, i32);
const PartBytes = @Vector(4 * part, i8);
const PartWords = @Vector(2 * part, i16);

extern fn @"llvm.x86.avx512.vpdpbusd.512"(Part, Part, Part) Part;
extern fn @"llvm.x86.avx512.vpdpbusd.256"(Part, Part, Part) Part;
extern fn @"llvm.x86.avx2.psign.b"(PartBytes, PartBytes) PartBytes;
extern fn @"llvm.x86.avx2.pmadd.ub.sw"(PartBytes, PartBytes) PartWords;
extern fn @"llvm.x86.avx2.pmadd.wd"(PartWords, PartWords) Part;

/// `start[t] + Σ_c weights[g][r, c] · activations[t, c]` over `step` columns, for the 16 rows r of
/// each group; exact for activations in -127..127. Rows of activations are `stride` apart.
pub inline fn dots(
    comptime step: usize,
    comptime tokens: usize,
    comptime groups: usize,
    weights: [groups][*]const u8,
    activations: [*]const i8,
    stride: usize,
    start: [tokens]i32,
) [tokens][groups]I32 {
    var parts: [tokens][groups][passes]Part = undefined;
    inline for (0..passes) |pass| {
        inline for (0..tokens) |t| {
            inline for (0..groups) |g| parts[t][g][pass] = @splat(start[t]);
        }
        inline for (0..step / 4) |k| {
            var bytes: [groups]PartBytes = undefined;
            inline for (0..groups) |g| {
                const at = (k * passes + pass) * @sizeOf(PartBytes);
                bytes[g] = @bitCast(weights[g][at..][0..@sizeOf(PartBytes)].*);
            }
            inline for (0..tokens) |t| {
                const four = activations[t * stride + 4 * k ..][0..4];
                inline for (0..groups) |g| {
                    parts[t][g][pass] = dotPart(parts[t][g][pass], bytes[g], four);
                }
            }
        }
    }
    var result: [tokens][groups]I32 = undefined;
    inline for (0..tokens) |t| {
        inline for (0..groups) |g| result[t][g] = @bitCast(parts[t][g]);
    }
    return result;
}

/// `acc[r] += Σ_k weights[4 r + k] · activations[k]`
pub inline fn dot(acc: I32, weights: Bytes, activations: *const [4]i8) I32 {
    var result: [passes]Part = @bitCast(acc);
    const bytes: [passes]PartBytes = @bitCast(weights);
    inline for (&result, bytes) |*r, b| r.* = dotPart(r.*, b, activations);
    return @bitCast(result);
}

inline fn dotPart(acc: Part, weights: PartBytes, activations: *const [4]i8) Part {
    const spread: Part = @splat(@as(i32, @bitCast(activations.*)));
    return switch (means) {
        .dpbusd_512 => @"llvm.x86.avx512.vpdpbusd.512"(acc, @bitCast(weights), spread),
        .dpbusd_256 => @"llvm.x86.avx512.vpdpbusd.256"(acc, @bitCast(weights), spread),
        .maddubs => dotSigns(acc, weights, @bitCast(spread)),
        .plain => dotPlain(acc, weights, @bitCast(spread)),
    };
}

/// vpmaddubsw adds two products in 16 bits. With |w| ≤ 128 unsigned and ±a ≤ 127 signed the sum is
/// at most 2 · 128 · 127 = 32,512, so it never saturates; a · w = sign(a, w) · |w|.
inline fn dotSigns(acc: Part, weights: PartBytes, spread: PartBytes) Part {
    const ones: PartWords = @splat(1);
    const signed = @"llvm.x86.avx2.psign.b"(spread, weights);
    const pairs = @"llvm.x86.avx2.pmadd.ub.sw"(@bitCast(@abs(weights)), signed);
    return inTurn(acc + @"llvm.x86.avx2.pmadd.wd"(pairs, ones));
}

/// Sums stay in the order in which they are added. The compiler would make a tree of them, whose
/// leaves do not fit the 16 registers; that costs a seventh of the speed.
inline fn inTurn(sum: Part) Part {
    return asm volatile (""
        : [_] "=x" (-> Part),
        : [_] "0" (sum),
    );
}

/// Products of two bytes fit 16 bits, and so does the sum of two of them: |w| ≤ 128, |a| ≤ 127.
inline fn dotPlain(acc: Part, weights: PartBytes, spread: PartBytes) Part {
    const Words = @Vector(4 * part, i16);
    const products = @as(Words, weights) * @as(Words, spread);
    const even = @shuffle(i16, products, undefined, simd.strided(2 * part, 0, 2));
    const odd = @shuffle(i16, products, undefined, simd.strided(2 * part, 1, 2));
    const pairs = even + odd;
    const first = @shuffle(i16, pairs, undefined, simd.strided(part, 0, 2));
    const second = @shuffle(i16, pairs, undefined, simd.strided(part, 1, 2));
    return acc + @as(Part, first) + @as(Part, second);
}
