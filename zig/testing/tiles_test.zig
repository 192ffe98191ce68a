//! The products by tiles over a model of them, so that CPUs without AMX test the kernel too.

const std = @import("std");
const amx = @import("../amx.zig");
const cpu = @import("../cpu.zig");
const caseInt8 = @import("matmul_test.zig").caseInt8;
const Guard = @import("guard.zig").Guard;
const interface = @import("../kernels/interface.zig");
const Matmul = @import("../kernels/matmul_tiles.zig").Matmul;
const simd_int8 = @import("../kernels/simd_int8.zig");
const Tiles = @import("model_tiles.zig").Tiles;

const testing = std.testing;

test "matmul_tiles, modelled: every format, one plane and two, all tile edges" {
    var kernels: interface.Kernels = undefined;
    // What the test itself is compiled for has neither; the variant of AMX only the second.
    comptime std.debug.assert(simd_int8.weight_bias == 0 and simd_int8.dot_bias == 0);
    kernels.weight_bias = simd_int8.weight_bias;
    kernels.dot_bias = simd_int8.dot_bias;
    kernels.weight_columns = simd_int8.weight_columns;
    inline for (0..interface.FormatId.count) |i| inline for (1..interface.planes_max + 1) |planes| {
        const id: interface.FormatId = @enumFromInt(i);
        kernels.matmul_int8[planes - 1][i] = Matmul(id.format(), planes, Tiles).run;
        for ([_]usize{ 1, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 43 }) |tokens| {
            var guard: Guard = .{};
            defer guard.deinit();
            try caseInt8(id, planes, &kernels, &guard, tokens, 37, 96);
            try caseInt8(id, planes, &kernels, &guard, tokens, 16, 32);
        }
    };
    try testing.expectEqual(0, Tiles.held);
}

fn right() callconv(.c) bool {
    return true;
}

fn wrong() callconv(.c) bool {
    return false;
}

fn illegal() callconv(.c) bool {
    @trap();
}

test "a trial of instructions is believed when it ends well, and harms nobody when it dies" {
    if (!amx.possible) return;
    try testing.expect(amx.survives(right));
    try testing.expect(!amx.survives(wrong));
    try testing.expect(!amx.survives(illegal));
    // The instructions themselves, which die wherever the CPU does not even name them.
    const symbol: std.builtin.ExternOptions = .{
        .name = "ggufembed_tiles_work",
        .visibility = .hidden,
    };
    try testing.expect(cpu.hasAmxInt8() or !amx.survives(@extern(amx.Trial, symbol)));
}
