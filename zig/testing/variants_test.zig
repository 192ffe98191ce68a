//! A whole model by each variant that this CPU has.

const std = @import("std");
const fixtures = @import("fixture.zig");
const Tiny = @import("tiny.zig").Tiny;
const variants = @import("../variants.zig");

const testing = std.testing;

/// What an emulator is known to have, as build.zig says: each is found, and nothing else.
const expected_names = "GGUFEMBED_TEST_VARIANTS";

test "a model gives the same bits by every variant, on x86-64 and on AArch64" {
    const bytes = Tiny.file();
    var fixture: fixtures.Fixture = undefined;
    try fixture.init(&bytes);
    defer fixture.deinit();
    var buffer: [256]u8 = undefined;
    var names = std.Io.Writer.fixed(&buffer);
    for (variants.all, 0..) |variant, i| {
        if (variants.kernels(i) == null) continue;
        try names.print(" {s}", .{variant.name});
        errdefer std.debug.print("variant {s}\n", .{variant.name});
        fixture.plan.spec.variant = @intCast(i);
        const done = try fixture.run(fixtures.by_token);
        try testing.expectEqual(.ok, done.taken.status);
        const digest = std.hash.Fnv1a_64.hash(std.mem.asBytes(&done.floats));
        try testing.expectEqual(0xc5ccc6bba386022e, digest);
    }
    const expected = std.c.getenv(expected_names) orelse return;
    try testing.expectEqualStrings(std.mem.span(expected), std.mem.trim(u8, names.buffered(), " "));
}
