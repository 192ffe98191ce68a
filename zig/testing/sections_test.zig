//! Where sections of a plan end, and which buffers have rows for a whole batch.

const std = @import("std");
const abi = @import("../abi.zig");
const Sections = @import("../sections.zig").Sections;
const Tiny = @import("tiny.zig").Tiny;
const Weight = @import("../weights.zig").Weight;
const Workspace = @import("../workspace.zig").Workspace;

const testing = std.testing;

const Division = struct {
    ends: []const usize,
    carried: []const usize,
};

fn expectDivision(model: *const Tiny, bytes_max: usize, expected: Division) !void {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const a = arena.allocator();
    const weights = try a.alloc(Weight, model.weights.len);
    for (weights, model.weights) |*weight, spec| weight.* = .{
        .rows = spec.rows,
        .columns = spec.columns,
        .part_begin = spec.part_begin,
        .content = .{ .float = .{
            .format = .f32,
            .values = try a.alignedAlloc(u8, .@"64", spec.rows * spec.columns * 4),
        } },
    };
    const workspace: *Workspace = try .init(.of(model.view(), 1));
    defer workspace.destroy();
    const buffers = workspace.buffers;
    const found = try Sections.init(a, &model.operations, weights, buffers, bytes_max);
    try testing.expectEqualSlices(usize, expected.ends, found.ends);
    for (0..buffers.len) |i| {
        const is_carried = std.mem.indexOfScalar(usize, expected.carried, i) != null;
        try testing.expectEqual(is_carried, found.carried.isSet(i));
    }
}

test "small weights are one section, and pooling begins another" {
    const model: Tiny = .init("");
    try expectDivision(&model, 1 << 20, .{ .ends = &.{ 13, 16 }, .carried = &.{0} });
}

test "each matrix may begin a section: what it and later ones read is carried" {
    const model: Tiny = .init("");
    try expectDivision(&model, 0, .{
        .ends = &.{ 4, 7, 9, 12, 13, 14, 16 },
        .carried = &.{ 0, 1, 4, 6, 7 },
    });
}

test "a buffer that products write in parts, before and behind a section's end, is carried" {
    var model: Tiny = .init("");
    // K and V come from a second product.
    model.operations[3] = model.operations[4];
    model.operations[4].value = 32;
    model.weights[4].rows = 32;
    try expectDivision(&model, 0, .{
        .ends = &.{ 3, 4, 7, 9, 12, 13, 14, 16 },
        .carried = &.{ 0, 1, 2, 4, 6, 7 },
    });
}
