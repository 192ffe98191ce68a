//! Many threads that open, embed, cancel, close and end, in no order: what they share stays whole,
//! and nothing is left.

const std = @import("std");
const abi = @import("../abi.zig");
const fixtures = @import("fixture.zig");
const Numbers = @import("numbers.zig").Numbers;
const runtime = @import("../runtime.zig");
const Tiny = @import("tiny.zig").Tiny;

const testing = std.testing;
const Fixture = fixtures.Fixture;
const by_text = fixtures.by_text;

const file_count = 2;
const thread_count = 4;
const lives = 12;
const steps = 30;

const Stress = struct {
    fixtures: [file_count]Fixture,
    expected: fixtures.Done,
    /// Batches that were embedded, so that a test that does nothing shows.
    embedded: std.atomic.Value(u32) = .init(0),
    failed: std.atomic.Value(u32) = .init(0),

    fn live(self: *Stress, seed: u32) void {
        var numbers: Numbers = .init(seed);
        for (0..lives) |_| self.liveOnce(&numbers) catch {
            _ = self.failed.fetchAdd(1, .monotonic);
        };
    }

    /// As a Worker does: a channel, models, and an end that may come at any moment.
    fn liveOnce(self: *Stress, numbers: *Numbers) !void {
        const opened = try runtime.openChannel();
        // Half of them tell that they end.
        defer {
            if (numbers.below(2) == 0) runtime.closeChannel(opened.channel) catch {};
            _ = std.c.close(opened.fd);
        }
        var mine: [4]?u64 = @splat(null);
        for (0..1 + numbers.below(steps)) |_| {
            const slot = &mine[numbers.below(mine.len)];
            const engine = slot.* orelse {
                slot.* = try self.load(opened.channel, numbers);
                continue;
            };
            switch (numbers.below(7)) {
                0 => {
                    slot.* = null;
                    const ticket = try runtime.submitUnload(opened.channel, engine);
                    if (numbers.below(2) == 0) _ = try fixtures.finish(ticket);
                },
                // Left behind, whatever becomes of it.
                1 => _ = try fixtures.submit(opened.channel, engine, by_text),
                2 => _ = try self.fixtures[0].submitLoad(opened.channel),
                3 => {
                    const ticket = try fixtures.submit(opened.channel, engine, by_text);
                    try runtime.cancel(ticket);
                    const done = try fixtures.finish(ticket);
                    if (done.taken.status != .cancelled) try self.expectWhole(&done);
                },
                else => {
                    var spec = by_text;
                    spec.awaited = @intCast(numbers.below(2));
                    const ticket = try fixtures.submit(opened.channel, engine, spec);
                    try self.expectWhole(&try fixtures.finish(ticket));
                },
            }
        }
    }

    /// Null when it was cancelled in time.
    fn load(self: *Stress, channel: u64, numbers: *Numbers) !?u64 {
        const ticket = try self.fixtures[numbers.below(file_count)].submitLoad(channel);
        if (numbers.below(4) == 0) try runtime.cancel(ticket);
        const done = try fixtures.finish(ticket);
        if (done.taken.status == .cancelled) return null;
        try testing.expectEqual(.ok, done.taken.status);
        return done.taken.engine;
    }

    fn expectWhole(self: *Stress, done: *const fixtures.Done) !void {
        try testing.expectEqual(.ok, done.taken.status);
        try testing.expectEqualSlices(f32, &self.expected.floats, &done.floats);
        _ = self.embedded.fetchAdd(1, .monotonic);
    }
};

test "threads that share models, cancel and end at any moment leave nothing" {
    const bytes = Tiny.file();
    var stress: Stress = .{ .fixtures = undefined, .expected = undefined };
    for (&stress.fixtures) |*fixture| {
        try fixture.init(&bytes);
        try fixture.settle();
    }
    defer for (&stress.fixtures) |*fixture| fixture.deinit();
    stress.expected = try stress.fixtures[0].run(by_text);
    const open = fixtures.openDescriptors();

    var threads: [thread_count]std.Thread = undefined;
    for (&threads, 1..) |*thread, seed| {
        thread.* = try std.Thread.spawn(.{}, Stress.live, .{ &stress, @as(u32, @intCast(seed)) });
    }
    for (threads) |thread| thread.join();
    try testing.expectEqual(0, stress.failed.load(.monotonic));
    try testing.expect(stress.embedded.load(.monotonic) > thread_count * lives);

    // Whoever comes next clears up; what it loads itself goes behind what the others left.
    const last = try runtime.openChannel();
    _ = std.c.close(last.fd);
    try runtime.closeChannel(last.channel);
    try fixtures.unload(try stress.fixtures[0].load());
    try testing.expectEqual(open, fixtures.openDescriptors());
}
