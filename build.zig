//! The shared library: one object per CPU variant, linked behind a small C interface.
//!
//!     zig build -Doptimize=ReleaseFast      zig-out/lib/libggufembed.*
//!     zig build test                        unit tests; NEON too where qemu-aarch64 is there
//!     zig build race                        tests of threads, under ThreadSanitizer
//!     zig build abi                         writes src/native/abi.ts
//!     zig build -Dsymbols                   with names and frame pointers, for profilers
//!     zig build yardstick                   zig-out/bin/yardstick, which bench/ drives

const std = @import("std");

const Variant = struct {
    name: []const u8,
    arch: std.Target.Cpu.Arch,
    model: *const std.Target.Cpu.Model,
    add: std.Target.Cpu.Feature.Set = .empty,
    remove: std.Target.Cpu.Feature.Set = .empty,
};

/// One row here and one in zig/variants.zig make a variant.
const variants = [_]Variant{
    .{
        .name = "avx512_amx",
        .arch = .x86_64,
        .model = &std.Target.x86.cpu.x86_64_v4,
        .add = x86Features(&.{ .avx512vnni, .amx_tile, .amx_int8 }),
        .remove = x86Features(&.{.prefer_256_bit}),
    },
    .{
        .name = "avx512_vnni",
        .arch = .x86_64,
        .model = &std.Target.x86.cpu.x86_64_v4,
        .add = x86Features(&.{.avx512vnni}),
        // The model prefers 256 bits, a habit of the first CPUs that had 512.
        .remove = x86Features(&.{.prefer_256_bit}),
    },
    .{
        .name = "avx_vnni",
        .arch = .x86_64,
        .model = &std.Target.x86.cpu.x86_64_v3,
        .add = x86Features(&.{.avxvnni}),
    },
    .{ .name = "avx2", .arch = .x86_64, .model = &std.Target.x86.cpu.x86_64_v3 },
    .{
        .name = "neon_i8mm",
        .arch = .aarch64,
        .model = &std.Target.aarch64.cpu.generic,
        .add = std.Target.aarch64.featureSet(&.{ .dotprod, .i8mm }),
    },
    .{
        .name = "neon_dotprod",
        .arch = .aarch64,
        .model = &std.Target.aarch64.cpu.generic,
        .add = std.Target.aarch64.featureSet(&.{.dotprod}),
    },
    .{ .name = "neon", .arch = .aarch64, .model = &std.Target.aarch64.cpu.generic },
};

fn x86Features(features: []const std.Target.x86.Feature) std.Target.Cpu.Feature.Set {
    return std.Target.x86.featureSet(features);
}

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{ .default_target = .{ .cpu_model = .baseline } });
    const optimize = b.standardOptimizeOption(.{});
    const symbols = b.option(bool, "symbols", "Keep names and frame pointers") orelse false;

    const library = b.addLibrary(.{
        .name = "ggufembed",
        .linkage = .dynamic,
        .root_module = module(b, "zig/lib.zig", target, optimize),
    });
    library.root_module.strip = optimize != .Debug and !symbols;
    if (symbols) keepFrames(library.root_module);
    b.installArtifact(library);

    addTests(b, target, optimize);
    addRaceTests(b, target);
    addGenerator(b, target);
    addYardstick(b, target, optimize);
}

/// In a module and in the objects that are linked into it.
fn keepFrames(root: *std.Build.Module) void {
    root.omit_frame_pointer = false;
    for (root.link_objects.items) |object| switch (object) {
        .other_step => |step| step.root_module.omit_frame_pointer = false,
        else => {},
    };
}

/// A module with the kernels of its architecture's variants linked in.
fn module(
    b: *std.Build,
    root: []const u8,
    target: std.Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
) *std.Build.Module {
    const result = b.createModule(.{
        .root_source_file = b.path(root),
        .target = target,
        .optimize = optimize,
        .link_libc = true,
    });
    for (variants) |variant| {
        if (variant.arch != target.result.cpu.arch) continue;
        result.addObject(variantObject(b, "kernels", variant, target, optimize));
    }
    return result;
}

/// `zig/<name>.zig`, compiled for a variant.
fn variantObject(
    b: *std.Build,
    name: []const u8,
    variant: Variant,
    target: std.Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
) *std.Build.Step.Compile {
    var query: std.Target.Query = .{
        .cpu_arch = variant.arch,
        .os_tag = target.result.os.tag,
        .abi = target.result.abi,
        .cpu_model = .{ .explicit = variant.model },
        .cpu_features_add = variant.add,
        .cpu_features_sub = variant.remove,
    };
    query.glibc_version = target.query.glibc_version;
    const options = b.addOptions();
    options.addOption([]const u8, "variant", variant.name);
    const object = b.addObject(.{
        .name = b.fmt("{s}_{s}", .{ name, variant.name }),
        .root_module = b.createModule(.{
            .root_source_file = b.path(b.fmt("zig/{s}.zig", .{name})),
            .target = b.resolveTargetQuery(query),
            .optimize = optimize,
            .pic = true,
        }),
        // The kernels use instructions by their LLVM names.
        .use_llvm = true,
    });
    object.root_module.addOptions("options", options);
    return object;
}

/// The tests, with the blocks of every format that they read.
fn testModule(
    b: *std.Build,
    target: std.Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
) *std.Build.Module {
    const result = module(b, "zig/tests.zig", target, optimize);
    const blocks = b.path("test/fixtures/blocks.txt");
    result.addAnonymousImport("blocks", .{ .root_source_file = blocks });
    return result;
}

fn addTests(
    b: *std.Build,
    target: std.Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
) void {
    const step = b.step("test", "Run the unit tests");
    const native = b.addTest(.{
        .root_module = testModule(b, target, optimize),
        .use_llvm = true,
    });
    step.dependOn(&b.addRunArtifact(native).step);
    if (target.result.cpu.arch == .aarch64 or target.result.os.tag != .linux) return;

    // The other architecture, on an emulator: a static binary needs nothing of its system.
    const names = [_][]const u8{ "qemu-aarch64-static", "qemu-aarch64" };
    const emulator = b.findProgram(&names, &.{}) catch {
        const why = "skipped: NEON kernels (there is no qemu-aarch64; " ++
            "on Debian: apt-get install qemu-user-static)";
        step.dependOn(&b.addSystemCommand(&.{ "echo", why }).step);
        return;
    };
    const arm = b.resolveTargetQuery(.{
        .cpu_arch = .aarch64,
        .os_tag = .linux,
        .abi = .musl,
        .cpu_model = .baseline,
    });
    const emulated = b.addTest(.{
        .name = "test-neon",
        .root_module = testModule(b, arm, optimize),
        .use_llvm = true,
    });
    emulated.setExecCmd(&.{ emulator, "-cpu", "max", null });
    const run = b.addRunArtifact(emulated);
    run.setEnvironmentVariable("GGUFEMBED_TEST_VARIANTS", "neon_i8mm neon_dotprod neon");
    step.dependOn(&run.step);
}

/// Kernels are not instrumented: none of them knows of threads.
fn addRaceTests(b: *std.Build, target: std.Build.ResolvedTarget) void {
    const tests = b.addTest(.{
        .name = "test-race",
        .root_module = testModule(b, target, .ReleaseSafe),
        .filters = &.{ "pool.", "runtime_test.", "sharing_test.", "stress_test." },
        .use_llvm = true,
    });
    tests.root_module.sanitize_thread = true;
    const step = b.step("race", "Run the tests of threads under ThreadSanitizer");
    step.dependOn(&b.addRunArtifact(tests).step);
}

fn addGenerator(b: *std.Build, target: std.Build.ResolvedTarget) void {
    const generator = b.addExecutable(.{
        .name = "abi",
        .root_module = b.createModule(.{
            .root_source_file = b.path("zig/abi_typescript.zig"),
            .target = target,
            .optimize = .Debug,
        }),
    });
    const text = b.addRunArtifact(generator).captureStdOut(.{});
    const write = b.addUpdateSourceFiles();
    write.addCopyFileToSource(text, "src/native/abi.ts");
    b.step("abi", "Generate src/native/abi.ts").dependOn(&write.step);
}

/// Apart from the library, which must not carry it.
fn addYardstick(
    b: *std.Build,
    target: std.Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
) void {
    const yardstick = b.addExecutable(.{
        .name = "yardstick",
        .root_module = module(b, "zig/yardstick.zig", target, optimize),
    });
    for (variants) |variant| {
        if (variant.arch != target.result.cpu.arch) continue;
        yardstick.root_module.addObject(variantObject(b, "peak", variant, target, optimize));
    }
    const install = b.addInstallArtifact(yardstick, .{});
    b.step("yardstick", "Build the process that measures peaks").dependOn(&install.step);
}
