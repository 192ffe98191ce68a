//! What the tests of kernels share. Every kernel of every variant that this machine can run is held
//! to its scalar twin, bit for bit, with each buffer ending at an inaccessible page. The twins' own
//! results are pinned by a digest, so that x86-64 and AArch64 are held to the same bits.

const std = @import("std");
const interface = @import("../kernels/interface.zig");
const variants = @import("../variants.zig");
const Guard = @import("guard.zig").Guard;
const Numbers = @import("numbers.zig").Numbers;
const twin = @import("twin.zig");

const lanes = interface.lanes;
const testing = std.testing;

/// Runs a case on each variant; skips those that this CPU lacks.
pub fn onEachVariant(comptime case: fn (*const interface.Kernels, *Guard) anyerror!void) !void {
    var count: usize = 0;
    for (0..variants.all.len) |i| {
        const kernels = variants.kernels(i) orelse continue;
        var guard: Guard = .{};
        defer guard.deinit();
        case(kernels, &guard) catch |err| {
            std.debug.print("variant {s}\n", .{variants.all[i].name});
            return err;
        };
        count += 1;
    }
    try testing.expect(count > 0);
}

pub fn expectBits(expected: []const f32, found: []const f32) !void {
    try testing.expectEqualSlices(u32, @ptrCast(expected), @ptrCast(found));
}

pub fn randomFloats(guard: *Guard, numbers: *Numbers, n: usize) []f32 {
    const memory = guard.alloc(f32, n);
    numbers.floats(memory);
    return memory;
}

pub const QuantizedBuffer = struct {
    args: interface.Quantized,
    layout: twin.Layout,
    width: usize,
    values: []i8,
    scales: []f32,
    corrections: []i32,
    sums: []f32,

    pub fn init(
        guard: *Guard,
        rows: usize,
        width: usize,
        layout: twin.Layout,
    ) QuantizedBuffer {
        const steps = rows * width / layout.step;
        const values = guard.alloc(i8, rows * width * layout.planes);
        const scales = guard.alloc(f32, steps * layout.planes);
        const corrections = guard.alloc(i32, steps * layout.planes);
        const sums = guard.alloc(f32, steps);
        return .{
            .args = .{
                .values = values.ptr,
                .scales = scales.ptr,
                .corrections = corrections.ptr,
                .sums = sums.ptr,
                .step = layout.step,
                .scale_block = layout.scale_block,
                .planes = layout.planes,
            },
            .layout = layout,
            .width = width,
            .values = values,
            .scales = scales,
            .corrections = corrections,
            .sums = sums,
        };
    }

    pub fn row(self: QuantizedBuffer, i: usize, width: usize) twin.QuantizedRow {
        const planes = self.layout.planes;
        const steps = width / self.layout.step;
        return .{
            .layout = self.layout,
            .values = self.values[i * planes * width ..][0 .. planes * width],
            .scales = self.scales[i * planes * steps ..][0 .. planes * steps],
            .sums = self.sums[i * steps ..][0..steps],
        };
    }

    /// Both hold the same rows, and the corrections undo the variant's bias.
    pub fn expectEqual(self: QuantizedBuffer, found: QuantizedBuffer, dot_bias: u32) !void {
        try testing.expectEqualSlices(i8, self.values, found.values);
        try expectBits(self.scales, found.scales);
        try expectBits(self.sums, found.sums);
        for (found.corrections, 0..) |correction, s| {
            try testing.expectEqual(self.correctionAt(s, dot_bias), correction);
        }
    }

    /// What undoes the bias in the dots of step `s`, counted over rows and planes.
    pub fn correctionAt(self: QuantizedBuffer, s: usize, dot_bias: u32) i32 {
        const step = self.layout.step;
        var total: i32 = 0;
        for (self.values[s * step ..][0..step]) |q| total += q;
        return -@as(i32, @intCast(dot_bias)) * total;
    }
};

pub fn floatSink(into: []f32) interface.Sink {
    return .{
        .float = into.ptr,
        .quantized = undefined,
        .has_quantized = false,
        .scratch = into.ptr,
    };
}

/// `[groups][columns / together][16][together]`, as the variant has its weights.
pub fn packValues(
    guard: *Guard,
    values: []const i8,
    columns: usize,
    groups: usize,
    kernels: *const interface.Kernels,
) []u8 {
    const out = guard.alloc(u8, groups * lanes * columns);
    const rows = values.len / columns;
    const together = kernels.weight_columns;
    const bias: u8 = @intCast(kernels.weight_bias);
    for (0..rows) |r| for (0..columns) |c| {
        const first = c / together * together;
        const at = (r / lanes * columns + first) * lanes + r % lanes * together + c % together;
        out[at] = @as(u8, @bitCast(values[r * columns + c])) +% bias;
    };
    return out;
}

/// `[groups][blocks][16]`
pub fn packParameters(
    comptime T: type,
    guard: *Guard,
    values: []const f32,
    blocks: usize,
    groups: usize,
) []T {
    const out = guard.alloc(T, groups * lanes * blocks);
    @memset(out, 0);
    for (values, 0..) |x, i| {
        const r = i / blocks;
        out[(r / lanes * blocks + i % blocks) * lanes + r % lanes] = @floatCast(x);
    }
    return out;
}
