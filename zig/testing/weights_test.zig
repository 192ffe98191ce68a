//! Reading weights from a file that is not as it was.

const std = @import("std");
const Files = @import("../file.zig").Files;
const Fixture = @import("fixture.zig").Fixture;
const Message = @import("../message.zig").Message;
const plan = @import("../plan.zig");
const Pool = @import("../pool.zig").Pool;
const Tiny = @import("tiny.zig").Tiny;
const variants = @import("../variants.zig");
const weights = @import("../weights.zig");

const testing = std.testing;

/// Opens the fixture's file, cuts it to `size`, and reads it as its plan says.
fn packCut(fixture: *Fixture, size: u64, threads: usize) !weights.Faults {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var message: Message = .{};
    const view = try plan.read(try fixture.plan.encode(arena.allocator()), &message);
    const files: Files = try .open(arena.allocator(), view.paths, &message);
    defer files.close();
    try plan.check(view, files.items, &message);
    const allocated = try weights.allocate(arena.allocator(), view);
    defer allocated.region.deinit();
    try fixture.resize(size);
    var pool: Pool = .{};
    defer pool.deinit();
    var faults: weights.Faults = .{};
    try weights.pack(
        arena.allocator(),
        view,
        allocated.weights,
        variants.kernels(variants.best().?).?,
        files.items,
        &pool,
        pool.grow(threads),
        &.init(false),
        &faults,
    );
    return faults;
}

test "a file cut short while it is read names the first part that is missing" {
    const bytes = Tiny.file();
    const template: Tiny = .init("");
    for (template.parts, 0..) |part, index| {
        var fixture: Fixture = undefined;
        try fixture.init(&bytes);
        defer fixture.deinit();
        const faults = try packCut(&fixture, part.offset + part.byte_length - 1, 1 + index % 3);
        try testing.expectEqual(index, faults.missing.part() orelse bytes.len);
        try testing.expect(faults.not_finite.part() == null);
    }
}
