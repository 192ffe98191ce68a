//! The CPU variants in this library, best first. One row here and one in build.zig make a variant.

const std = @import("std");
const builtin = @import("builtin");
const amx = @import("amx.zig");
const cpu = @import("cpu.zig");
const interface = @import("kernels/interface.zig");

pub const Variant = struct {
    name: [:0]const u8,
    arch: std.Target.Cpu.Arch,
    supported: *const fn () bool,
    /// Of the variant's object: what the CPU's word is not taken for.
    trial: ?[:0]const u8 = null,
};

/// The order is the order of preference.
pub const all = [_]Variant{
    .{
        .name = "avx512_amx",
        .arch = .x86_64,
        .supported = cpu.hasAmxInt8,
        .trial = "ggufembed_tiles_work",
    },
    .{ .name = "avx512_vnni", .arch = .x86_64, .supported = cpu.hasAvx512Vnni },
    .{ .name = "avx_vnni", .arch = .x86_64, .supported = cpu.hasAvxVnni },
    .{ .name = "avx2", .arch = .x86_64, .supported = cpu.hasAvx2 },
    .{ .name = "neon_i8mm", .arch = .aarch64, .supported = cpu.hasNeonI8mm },
    .{ .name = "neon_dotprod", .arch = .aarch64, .supported = cpu.hasNeonDotprod },
    .{ .name = "neon", .arch = .aarch64, .supported = cpu.hasNeon },
};

/// Kernels of variant `index`; null when this CPU cannot run them.
pub fn kernels(index: usize) ?*const interface.Kernels {
    inline for (all, 0..) |variant, i| {
        if (variant.arch == builtin.cpu.arch and i == index and variant.supported()) {
            if (variant.trial) |name| {
                const trial = @extern(amx.Trial, .{ .name = name, .visibility = .hidden });
                if (!amx.isUsable(trial)) return null;
            }
            return @extern(*const interface.Kernels, .{
                .name = "ggufembed_kernels_" ++ variant.name,
                .visibility = .hidden,
            });
        }
    }
    return null;
}

/// The best variant that this CPU can run; null below the floor.
pub fn best() ?usize {
    for (0..all.len) |i| {
        if (kernels(i) != null) return i;
    }
    return null;
}

/// Bit i: this CPU can run variant i.
pub fn available() u32 {
    var mask: u32 = 0;
    for (0..all.len) |i| {
        if (kernels(i) != null) mask |= @as(u32, 1) << @intCast(i);
    }
    return mask;
}
