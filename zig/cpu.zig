//! What this CPU can do and the operating system lets it do. A feature bit alone proves nothing:
//! the system must also save the wide registers (XCR0).

const builtin = @import("builtin");
const std = @import("std");

const x86 = builtin.cpu.arch == .x86_64;
const arm = builtin.cpu.arch == .aarch64;

/// XCR0: SSE and AVX state; and the three parts of AVX-512 state.
const avx_state = 0x6;
const avx512_state = 0xe6;

const Leaf = struct { eax: u32, ebx: u32, ecx: u32, edx: u32 };

/// x86-64-v3, the floor: all that a compiler may use there, with F16C.
pub fn hasAvx2() bool {
    if (!x86) return false;
    // Beyond its last leaf a CPU answers with something else.
    if (cpuid(0, 0).eax < 7 or cpuid(0x8000_0000, 0).eax < 0x8000_0001) return false;
    const basic = cpuid(1, 0);
    const fma = 1 << 12;
    const movbe = 1 << 22;
    const popcnt = 1 << 23;
    const osxsave = 1 << 27;
    const f16c = 1 << 29;
    const wanted = fma | movbe | popcnt | osxsave | f16c;
    if (basic.ecx & wanted != wanted) return false;
    const lzcnt = 1 << 5;
    if (cpuid(0x8000_0001, 0).ecx & lzcnt == 0) return false;
    if (xcr0() & avx_state != avx_state) return false;
    const avx2 = 1 << 5;
    const bmi1 = 1 << 3;
    const bmi2 = 1 << 8;
    const extended = cpuid(7, 0);
    return extended.ebx & (avx2 | bmi1 | bmi2) == avx2 | bmi1 | bmi2;
}

/// VNNI in its form of 256 bits without AVX-512.
pub fn hasAvxVnni() bool {
    if (!hasAvx2()) return false;
    const leaf = 7;
    if (cpuid(leaf, 0).eax < 1) return false;
    const vnni = 1 << 4;
    return cpuid(leaf, 1).eax & vnni != 0;
}

/// AVX-512 F, BW, CD, DQ, VL and VNNI.
pub fn hasAvx512Vnni() bool {
    if (!hasAvx2()) return false;
    if (xcr0() & avx512_state != avx512_state) return false;
    const extended = cpuid(7, 0);
    const foundation = 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30 | 1 << 31;
    const vnni = 1 << 11;
    return extended.ebx & foundation == foundation and extended.ecx & vnni == vnni;
}

/// AMX with tiles of int8, as the CPU and the system's use of it say. amx.zig knows the rest.
pub fn hasAmxInt8() bool {
    if (!hasAvx512Vnni()) return false;
    const tile_state = 0x60000;
    if (xcr0() & tile_state != tile_state) return false;
    const tile = 1 << 24;
    const int8 = 1 << 25;
    return cpuid(7, 0).edx & (tile | int8) == tile | int8;
}

pub fn hasNeon() bool {
    return arm;
}

/// Dot products of four bytes (FEAT_DotProd).
pub fn hasNeonDotprod() bool {
    const HWCAP_ASIMDDP = 1 << 20;
    return hasArmFeature(AT_HWCAP, HWCAP_ASIMDDP, "hw.optional.arm.FEAT_DotProd");
}

/// Products of 2 × 8 by 8 × 2 bytes (FEAT_I8MM).
pub fn hasNeonI8mm() bool {
    const HWCAP2_I8MM = 1 << 13;
    return hasNeonDotprod() and
        hasArmFeature(AT_HWCAP2, HWCAP2_I8MM, "hw.optional.arm.FEAT_I8MM");
}

const AT_HWCAP = 16;
const AT_HWCAP2 = 26;

/// What the system says: user code may not ask an AArch64 CPU itself.
fn hasArmFeature(word: c_ulong, bit: c_ulong, name: [*:0]const u8) bool {
    if (!arm) return false;
    switch (builtin.os.tag) {
        .linux => return std.c.getauxval(word) & bit != 0,
        .macos => {
            var value: c_int = 0;
            var size: usize = @sizeOf(c_int);
            return std.c.sysctlbyname(name, &value, &size, null, 0) == 0 and value != 0;
        },
        else => return false,
    }
}

/// Round to nearest, keep denormals, trap nothing: IEEE 754's own, and the state of a fresh thread.
const default_state: u32 = if (x86) 0x1f80 else 0;

/// A thread inherits the rounding and flushing that its creator set, and a host may have set some:
/// the same numbers would then have other bits.
pub fn resetFloatState() void {
    setFloatState(default_state);
}

/// MXCSR or FPCR.
fn setFloatState(state: u32) void {
    if (x86) {
        asm volatile ("ldmxcsr (%[state])"
            :
            : [state] "r" (&state),
            : .{ .memory = true });
    } else if (arm) {
        asm volatile ("msr fpcr, %[state]"
            :
            : [state] "r" (@as(u64, state)),
        );
    }
}

/// For tests: as a library built with -ffast-math would leave it.
pub fn flushDenormals() void {
    setFloatState(if (x86) default_state | 0x8040 else 1 << 24);
}

fn cpuid(leaf: u32, subleaf: u32) Leaf {
    if (!x86) return .{ .eax = 0, .ebx = 0, .ecx = 0, .edx = 0 };
    var eax: u32 = undefined;
    var ebx: u32 = undefined;
    var ecx: u32 = undefined;
    var edx: u32 = undefined;
    asm volatile ("cpuid"
        : [_] "={eax}" (eax),
          [_] "={ebx}" (ebx),
          [_] "={ecx}" (ecx),
          [_] "={edx}" (edx),
        : [_] "{eax}" (leaf),
          [_] "{ecx}" (subleaf),
    );
    return .{ .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx };
}

fn xcr0() u32 {
    if (!x86) return 0;
    return asm volatile ("xgetbv"
        : [_] "={eax}" (-> u32),
        : [_] "{ecx}" (@as(u32, 0)),
        : .{ .edx = true });
}
