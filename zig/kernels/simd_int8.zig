//! Integer dots of packed weights and quantised activations, by what each CPU has for them. It is
//! the int8 half of simd.zig: beside these two and simd_tiles.zig no file asks which instructions
//! there are. All of them give the same, exact numbers.

const builtin = @import("builtin");
const simd = @import("simd.zig");
const simd_tiles = @import("simd_tiles.zig");

const lanes = simd.lanes;
const I32 = simd.I32;

/// 16 rows × 4 columns of packed weights, or half of 16 × 8.
pub const Bytes = @Vector(4 * lanes, u8);

const x86 = builtin.cpu.arch == .x86_64;
const arm = builtin.cpu.arch == .aarch64;

/// What a CPU has for integer dots.
const Means = enum { dpbusd_512, dpbusd_256, maddubs, smmla, sdot, plain };

pub const means: Means = if (x86 and builtin.cpu.has(.x86, .avx512vnni))
    .dpbusd_512
else if (x86 and builtin.cpu.has(.x86, .avxvnni))
    .dpbusd_256
else if (x86 and builtin.cpu.has(.x86, .avx2))
    .maddubs
else if (arm and builtin.cpu.has(.aarch64, .i8mm))
    .smmla
else if (arm and builtin.cpu.has(.aarch64, .dotprod))
    .sdot
else
    .plain;

/// vpdpbusd multiplies unsigned by signed bytes: for `w` it takes `w + 128`.
pub const dot_bias: u8 = switch (means) {
    .dpbusd_512, .dpbusd_256 => 128,
    .maddubs, .smmla, .sdot, .plain => 0,
};

/// Weights are stored as `w + weight_bias`. Tiles take signed bytes, so where there are tiles
/// vpdpbusd has its bias added to what is loaded.
pub const weight_bias: u8 = if (simd_tiles.available) 0 else dot_bias;

/// Columns of a row that lie together in the packed weights. smmla wants eight: its operands are
/// 2 rows × 8 columns.
pub const weight_columns = if (means == .smmla) 8 else 4;

/// Register tile: outputs are independent, so its shape never changes a bit. Each plane of a
/// token's activations has sums of its own.
pub fn tileOf(planes: usize) struct { tokens: usize, groups: usize } {
    return switch (means) {
        .dpbusd_512 => .{ .tokens = 4, .groups = if (planes == 1) 3 else 2 },
        .dpbusd_256, .maddubs, .smmla, .sdot => .{ .tokens = 4 / planes, .groups = 1 },
        .plain => .{ .tokens = 2 / planes, .groups = 1 },
    };
}

/// Rows whose sums a register holds. A group of 16 is done in as many passes as it takes, so that
/// the sums of several tokens stay in registers.
const part = switch (means) {
    .dpbusd_512 => 16,
    .dpbusd_256, .maddubs => 8,
    .smmla, .sdot, .plain => 4,
};
const passes = lanes / part;

const Part = @Vector(part, i32);
const PartBytes = @Vector(4 * part, i8);
const StoredBytes = @Vector(4 * part, u8);
const PartWords = @Vector(2 * part, i16);

extern fn @"llvm.x86.avx512.vpdpbusd.512"(Part, Part, Part) Part;
extern fn @"llvm.x86.avx512.vpdpbusd.256"(Part, Part, Part) Part;
extern fn @"llvm.x86.avx2.psign.b"(PartBytes, PartBytes) PartBytes;
extern fn @"llvm.x86.avx2.pmadd.ub.sw"(PartBytes, PartBytes) PartWords;
extern fn @"llvm.x86.avx2.pmadd.wd"(PartWords, PartWords) Part;
extern fn @"llvm.aarch64.neon.sdot.v4i32.v16i8"(Part, PartBytes, PartBytes) Part;
extern fn @"llvm.aarch64.neon.smmla.v4i32.v16i8"(Part, PartBytes, PartBytes) Part;

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
    if (means == .smmla)
        return dotsOfPairs(step, tokens, groups, weights, activations, stride, start);
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
                if (dot_bias != weight_bias) {
                    const stored: StoredBytes = @bitCast(bytes[g]);
                    bytes[g] = @bitCast(stored +% @as(StoredBytes, @splat(dot_bias - weight_bias)));
                }
            }
            inline for (0..tokens) |t| {
                const four = spreadOf(activations + t * stride, k);
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

/// Multiply-adds of one `dot`.
pub const dot_multiply_adds = 4 * lanes * (if (means == .smmla) 2 else 1);

/// The variant's own instruction on 64 bytes of weights and four activations, as often as it takes:
/// `acc[r] += Σ_k weights[4 r + k] · activations[k]`. smmla does twice as much, in another order.
pub inline fn dot(acc: I32, weights: Bytes, activations: *const [4]i8) I32 {
    var result: [passes]Part = @bitCast(acc);
    const bytes: [passes]PartBytes = @bitCast(weights);
    const four: Part = @splat(@as(i32, @bitCast(activations.*)));
    inline for (&result, bytes) |*r, b| r.* = dotPart(r.*, b, four);
    return @bitCast(result);
}

/// Columns 4 k to 4 k + 3 of a token's activations, for every row.
inline fn spreadOf(activations: [*]const i8, comptime k: usize) Part {
    if (means != .sdot) return @splat(@as(i32, @bitCast(activations[4 * k ..][0..4].*)));
    // sdot takes them from any quarter of a register: one load serves four dots.
    const sixteen: Part = @bitCast(activations[k / 4 * 16 ..][0..16].*);
    return @shuffle(i32, sixteen, undefined, simd.strided(part, k % 4, 0));
}

inline fn dotPart(acc: Part, weights: PartBytes, four: Part) Part {
    return switch (means) {
        .dpbusd_512 => @"llvm.x86.avx512.vpdpbusd.512"(acc, @bitCast(weights), four),
        .dpbusd_256 => @"llvm.x86.avx512.vpdpbusd.256"(acc, @bitCast(weights), four),
        .maddubs => dotSigns(acc, weights, @bitCast(four)),
        .smmla => @"llvm.aarch64.neon.smmla.v4i32.v16i8"(acc, @bitCast(four), weights),
        .sdot => @"llvm.aarch64.neon.sdot.v4i32.v16i8"(acc, weights, @bitCast(four)),
        .plain => dotPlain(acc, weights, @bitCast(four)),
    };
}

/// vpmaddubsw adds two products in 16 bits. With |w| ≤ 128 unsigned and ±a ≤ 127 signed the sum is
/// at most 2 · 128 · 127 = 32,512, so it never saturates; a · w = sign(a, w) · |w|.
inline fn dotSigns(acc: Part, weights: PartBytes, spread: PartBytes) Part {
    const ones: PartWords = @splat(1);
    const signed = @"llvm.x86.avx2.psign.b"(spread, weights);
    const pairs = @"llvm.x86.avx2.pmadd.ub.sw"(@bitCast(@abs(weights)), signed);
    return inTurn(acc +% @"llvm.x86.avx2.pmadd.wd"(pairs, ones));
}

/// Sums stay in the order in which they are added. The compiler would make a tree of them, whose
/// leaves do not fit the 16 registers; that costs a seventh of the speed.
inline fn inTurn(sum: Part) Part {
    return asm (""
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
    return acc +% @as(Part, first) +% @as(Part, second);
}

/// `dots` by smmla, which multiplies 2 tokens × 8 columns by 2 rows × 8 columns: four outputs an
/// instruction, `[t0 r0, t0 r1, t1 r0, t1 r1]`. A token without a partner is its own.
inline fn dotsOfPairs(
    comptime step: usize,
    comptime tokens: usize,
    comptime groups: usize,
    weights: [groups][*]const u8,
    activations: [*]const i8,
    stride: usize,
    start: [tokens]i32,
) [tokens][groups]I32 {
    const pairs = (tokens + 1) / 2;
    var result: [tokens][groups][passes]Part = undefined;
    inline for (0..groups) |g| inline for (0..passes) |pass| {
        // Rows 4 pass and 4 pass + 1, and the two after them.
        var sums: [pairs][2]Part = undefined;
        inline for (&sums, 0..) |*both, pair| {
            const first = start[2 * pair];
            const second = start[@min(2 * pair + 1, tokens - 1)];
            both.* = @splat(Part{ first, first, second, second });
        }
        inline for (0..step / 8) |k| inline for (0..2) |half| {
            const at = ((k * passes + pass) * 2 + half) * @sizeOf(PartBytes);
            const bytes: PartBytes = @bitCast(weights[g][at..][0..@sizeOf(PartBytes)].*);
            inline for (&sums, 0..) |*both, pair| {
                const own = activations + 2 * pair * stride;
                const partner = activations + @min(2 * pair + 1, tokens - 1) * stride;
                const eights = pairOf(own, partner, k);
                both[half] = @"llvm.aarch64.neon.smmla.v4i32.v16i8"(both[half], eights, bytes);
            }
        };
        inline for (0..tokens) |t| {
            const both = sums[t / 2];
            const at: i32 = t % 2 * 2;
            const mask: @Vector(part, i32) = .{ at, at + 1, ~at, ~(at + 1) };
            result[t][g][pass] = @shuffle(i32, both[0], both[1], mask);
        }
    };
    return @bitCast(result);
}

/// Columns 8 k to 8 k + 7 of two tokens. Both halves of what is loaded are used.
inline fn pairOf(own: [*]const i8, partner: [*]const i8, comptime k: usize) PartBytes {
    const Halves = @Vector(2, i64);
    const a: Halves = @bitCast(own[k / 2 * 16 ..][0..16].*);
    const b: Halves = @bitCast(partner[k / 2 * 16 ..][0..16].*);
    const half: i32 = k % 2;
    return @bitCast(@shuffle(i64, a, b, @Vector(2, i32){ half, ~half }));
}
