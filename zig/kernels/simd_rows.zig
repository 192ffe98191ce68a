//! Dots of vectors that lie as their owners keep them: numbers, bytes, bits. The part of simd.zig
//! that searching needs; the numbers are the same on every CPU.

const builtin = @import("builtin");
const simd = @import("simd.zig");
const simd_int8 = @import("simd_int8.zig");

const lanes = simd.lanes;
const means = simd_int8.means;

/// Rows that meet two queries in registers.
pub const float_rows = if (means == .dpbusd_512) 4 else 1;
pub const int8_rows = switch (means) {
    .dpbusd_512, .smmla, .sdot => 4,
    .dpbusd_256, .maddubs, .plain => 2,
};
pub const tile_queries = 2;

/// Sums of float32 products are float64, where a product of two is exact: whether it is rounded
/// before it is added makes no difference, nor can a sum of finite ones overflow.
pub const F64 = @Vector(lanes, f64);

pub inline fn mulAdd(a: F64, b: F64, c: F64) F64 {
    return @mulAdd(F64, a, b, c);
}

/// Bytes that one step of a dot takes.
pub const step = if (means == .dpbusd_512) 32 else 16;
pub const Sums = @Vector(switch (means) {
    .dpbusd_512, .plain => 16,
    .dpbusd_256, .maddubs => 8,
    .smmla, .sdot => 4,
}, i32);
/// In the form in which they are multiplied: sdot takes signed bytes, the others do not.
pub const Piece = @Vector(step, switch (means) {
    .smmla, .sdot => i8,
    else => i16,
});

extern fn @"llvm.x86.avx512.vpdpwssd.512"(Sums, Sums, Sums) Sums;
extern fn @"llvm.x86.avx512.vpdpwssd.256"(Sums, Sums, Sums) Sums;
extern fn @"llvm.x86.avx2.pmadd.wd"(Piece, Piece) Sums;
extern fn @"llvm.aarch64.neon.sdot.v4i32.v16i8"(Sums, Piece, Piece) Sums;

pub inline fn loadPiece(p: [*]const i8) Piece {
    const bytes: @Vector(step, i8) = p[0..step].*;
    return bytes;
}

/// The first `n` bytes, then zeros.
pub inline fn loadPieceUpTo(p: [*]const i8, n: usize) Piece {
    if (n == step) return loadPiece(p);
    var part: [step]i8 = @splat(0);
    for (0..n) |i| part[i] = p[i];
    return loadPiece(&part);
}

/// Exact while |sum| < 2^31: for 131,071 components, if all are -128.
pub inline fn addProducts(sums: Sums, a: Piece, b: Piece) Sums {
    return switch (means) {
        .dpbusd_512 => @"llvm.x86.avx512.vpdpwssd.512"(sums, @bitCast(a), @bitCast(b)),
        .dpbusd_256 => @"llvm.x86.avx512.vpdpwssd.256"(sums, @bitCast(a), @bitCast(b)),
        .maddubs => sums + @"llvm.x86.avx2.pmadd.wd"(a, b),
        .smmla, .sdot => @"llvm.aarch64.neon.sdot.v4i32.v16i8"(sums, a, b),
        .plain => sums + @as(Sums, a *% b),
    };
}

pub inline fn total(sums: Sums) i32 {
    return @reduce(.Add, sums);
}

/// Bits that are counted together: x86-64 has an instruction for a general register, NEON one for
/// its own.
const Bits = @Vector(if (builtin.cpu.arch == .x86_64) 1 else 2, u64);

/// Bits in which two vectors of `n` bytes differ.
pub inline fn differences(a: [*]const u8, b: [*]const u8, n: usize) usize {
    var counts: Bits = @splat(0);
    const whole = n / @sizeOf(Bits) * @sizeOf(Bits);
    var i: usize = 0;
    while (i < whole) : (i += @sizeOf(Bits)) counts += @popCount(loadBits(a + i) ^ loadBits(b + i));
    var rest: [2][@sizeOf(Bits)]u8 = @splat(@splat(0));
    for (whole..n, 0..) |from, to| {
        rest[0][to] = a[from];
        rest[1][to] = b[from];
    }
    if (whole < n) counts += @popCount(loadBits(&rest[0]) ^ loadBits(&rest[1]));
    return @reduce(.Add, counts);
}

inline fn loadBits(p: [*]const u8) Bits {
    return @bitCast(p[0..@sizeOf(Bits)].*);
}
