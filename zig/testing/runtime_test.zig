//! The life of jobs, engines and channels, as callers of the library see it.

const std = @import("std");
const abi = @import("../abi.zig");
const fixtures = @import("fixture.zig");
const Message = @import("../message.zig").Message;
const runtime = @import("../runtime.zig");
const tiny = @import("tiny.zig");
const variants = @import("../variants.zig");

const testing = std.testing;
const Fixture = fixtures.Fixture;
const Hold = fixtures.Hold;
const Tiny = tiny.Tiny;
const by_text = fixtures.by_text;
const by_token = fixtures.by_token;

fn initFixture(fixture: *Fixture) !void {
    const bytes = Tiny.file();
    try fixture.init(&bytes);
}

test "a job that was cancelled in the queue does not run, and its neighbours do" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    var hold: Hold = try .init(&fixture);
    var tickets: [3]u64 = undefined;
    for (&tickets) |*ticket| ticket.* = try fixtures.submit(null, engine, by_text);
    try runtime.cancel(tickets[1]);
    try hold.release();
    const wanted = [_]abi.Status{ .ok, .cancelled, .ok };
    for (tickets, wanted) |ticket, status| {
        const done = try fixtures.finish(ticket);
        try testing.expectEqual(status, done.taken.status);
    }
    try fixtures.unload(engine);
}

test "unloading waits for jobs before it, and those behind it find no engine" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    var hold: Hold = try .init(&fixture);
    const before = try fixtures.submit(null, engine, by_text);
    const gone = try runtime.submitUnload(null, engine);
    const behind = try fixtures.submit(null, engine, by_text);
    const twice = try runtime.submitUnload(null, engine);
    try runtime.cancel(gone); // too late, by design: it would leave a model that nobody wants
    try hold.release();
    const wanted = [_]abi.Status{ .ok, .ok, .stale_handle, .stale_handle };
    for ([_]u64{ before, gone, behind, twice }, wanted) |ticket, status| {
        const done = try fixtures.finish(ticket);
        try testing.expectEqual(status, done.taken.status);
    }
}

test "stale handles are errors everywhere" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    const ticket = try fixtures.submit(null, engine, by_text);
    _ = try fixtures.finish(ticket);
    const opened = try runtime.openChannel();
    _ = std.c.close(opened.fd);
    try runtime.closeChannel(opened.channel);
    try fixtures.unload(engine);

    var floats: [1]f32 = undefined;
    var message: [abi.message_size]u8 = undefined;
    for ([_]u64{ ticket, 0, std.math.maxInt(u64), 1 << 31 }) |stale| {
        try testing.expectError(error.StaleHandle, runtime.wait(stale));
        try testing.expectError(error.StaleHandle, runtime.cancel(stale));
        try testing.expectError(error.StaleHandle, runtime.take(stale, &floats, &message));
    }
    for ([_]u64{ opened.channel, 0, std.math.maxInt(u64) }) |stale| {
        var tickets: [1]u64 = undefined;
        try testing.expectError(error.StaleHandle, runtime.drain(stale, &tickets));
        try testing.expectError(error.StaleHandle, runtime.closeChannel(stale));
        try testing.expectError(error.StaleHandle, fixture.submitLoad(stale));
    }
    try testing.expectError(error.StaleHandle, fixtures.submit(null, engine, by_text));
}

test "a channel gives its own tickets, in order, once" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    const ours = try runtime.openChannel();
    const others = try runtime.openChannel();
    var tickets: [6]u64 = undefined;
    for (&tickets, 0..) |*ticket, i| {
        const channel = if (i == 2) others.channel else ours.channel;
        ticket.* = try fixtures.submit(channel, engine, by_text);
    }
    try runtime.wait(tickets[5]);
    var drained: [8]u64 = undefined;
    try testing.expectEqual(5, try runtime.drain(ours.channel, &drained));
    const expected = [_]u64{ tickets[0], tickets[1], tickets[3], tickets[4], tickets[5] };
    try testing.expectEqualSlices(u64, &expected, drained[0..5]);
    try testing.expectEqual(0, try runtime.drain(ours.channel, &drained));
    try testing.expectEqual(1, try runtime.drain(others.channel, &drained));
    try testing.expectEqual(tickets[2], drained[0]);
    for (tickets) |ticket| _ = try fixtures.finish(ticket);
    for ([_]runtime.Opened{ ours, others }) |opened| {
        _ = std.c.close(opened.fd);
        try runtime.closeChannel(opened.channel);
    }
    try fixtures.unload(engine);
}

test "jobs of a closed channel end in silence, and the engines they loaded go with them" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    const open = fixtures.openDescriptors();
    const opened = try runtime.openChannel();
    // One engine is loaded and nobody took its handle; the other load is still queued.
    const loaded = try fixture.submitLoad(opened.channel);
    try runtime.wait(loaded);
    var hold: Hold = try .init(&fixture);
    const queued = try fixtures.submit(opened.channel, engine, by_text);
    const loading = try fixture.submitLoad(opened.channel);
    try runtime.closeChannel(opened.channel);
    _ = std.c.close(opened.fd);
    for ([_]u64{ loaded, queued, loading }) |ticket| {
        try testing.expectError(error.StaleHandle, runtime.wait(ticket));
    }
    try hold.release();
    const done = try fixtures.embed(engine, by_text);
    try testing.expectEqual(.ok, done.taken.status);
    try testing.expectEqual(open, fixtures.openDescriptors());
    try fixtures.unload(engine);
}

test "what a thread that ended left behind goes when the next one comes" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const open = fixtures.openDescriptors();
    const ended = try runtime.openChannel();
    const alive = try runtime.openChannel();
    const theirs = try fixtures.finish(try fixture.submitLoad(ended.channel));
    const ours = try fixtures.finish(try fixture.submitLoad(alive.channel));
    var hold: Hold = try .init(&fixture);
    const running = try fixtures.submit(ended.channel, theirs.taken.engine, by_text);
    _ = std.c.close(ended.fd);

    const next = try runtime.openChannel();
    try hold.release();
    try testing.expectError(error.StaleHandle, runtime.closeChannel(ended.channel));
    try testing.expectError(error.StaleHandle, runtime.wait(running));
    const gone = try fixtures.finish(try runtime.submitUnload(null, theirs.taken.engine));
    try testing.expectEqual(.stale_handle, gone.taken.status);
    const done = try fixtures.embed(ours.taken.engine, by_text);
    try testing.expectEqual(.ok, done.taken.status);
    for ([_]runtime.Opened{ alive, next }) |opened| {
        _ = std.c.close(opened.fd);
        try runtime.closeChannel(opened.channel);
    }
    const unloaded = try fixtures.finish(try runtime.submitUnload(null, ours.taken.engine));
    try testing.expectEqual(.stale_handle, unloaded.taken.status);
    try testing.expectEqual(open, fixtures.openDescriptors());
}

test "a job that is awaited is not told of, and goes with its channel" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    const opened = try runtime.openChannel();
    var spec = by_text;
    spec.awaited = 1;
    const done = try fixtures.finish(try fixtures.submit(opened.channel, engine, spec));
    try testing.expectEqual(.ok, done.taken.status);
    const left = try fixtures.submit(opened.channel, engine, spec);
    try runtime.wait(left);
    var drained: [1]u64 = undefined;
    try testing.expectEqual(0, try runtime.drain(opened.channel, &drained));

    // Its thread ends before it takes the result; the next model that is loaded sees to it.
    _ = std.c.close(opened.fd);
    try fixtures.unload(try fixture.load());
    try testing.expectError(error.StaleHandle, runtime.wait(left));
    try testing.expectError(error.StaleHandle, runtime.closeChannel(opened.channel));
    try fixtures.unload(engine);
}

test "stats tell what a model takes, and a batch makes its workspace grow" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    fixture.plan.spec.threads = 2;
    const engine = try fixture.load();
    const fresh = try runtime.stats(engine);
    try testing.expectEqual(variants.best().?, fresh.variant);
    try testing.expectEqual(2, fresh.threads);
    try testing.expectEqual(1, fresh.sharers);
    try testing.expect(fresh.weight_bytes > Tiny.file_size / 2);
    try testing.expect(fresh.weight_bytes < Tiny.file_size * 4);
    _ = try fixtures.embed(engine, by_text);
    const used = try runtime.stats(engine);
    try testing.expectEqual(fresh.weight_bytes, used.weight_bytes);
    try testing.expect(used.workspace_bytes > fresh.workspace_bytes);
    try fixtures.unload(engine);
    try testing.expectError(error.StaleHandle, runtime.stats(engine));
}

test "a result waits for a buffer that is large enough" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    var hold: Hold = try .init(&fixture);
    const ticket = try fixtures.submit(null, engine, by_text);
    var floats: [fixtures.lengths.len * tiny.embedding_size]f32 = undefined;
    var message: [abi.message_size]u8 = undefined;
    const early = try runtime.take(ticket, &floats, &message);
    try testing.expectEqual(.running, early.status);
    try hold.release();
    try runtime.wait(ticket);
    const short = floats[1..];
    try testing.expectError(error.InvalidArgument, runtime.take(ticket, short, &message));
    const taken = try runtime.take(ticket, &floats, &message);
    try testing.expectEqual(.ok, taken.status);
    try testing.expectEqual(floats.len, taken.floats);
    try fixtures.unload(engine);
}

fn expectInvalid(
    expected: []const u8,
    engine: u64,
    spec: abi.EmbedSpec,
    ids: []const i32,
    lengths: []const u32,
) !void {
    var message: Message = .{};
    const result = runtime.submitEmbed(null, engine, spec, ids, lengths, &message);
    try testing.expectError(error.InvalidArgument, result);
    try testing.expectEqualStrings(expected, std.mem.sliceTo(&message.bytes, 0));
}

test "a batch that the engine cannot run is refused before it is queued" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    const many: [65]i32 = @splat(0);
    try expectInvalid("a batch needs a text", engine, by_text, &.{}, &.{});
    try expectInvalid("text 1 has 0 tokens", engine, by_text, &.{1}, &.{ 1, 0 });
    try expectInvalid("text 0 has 17 tokens", engine, by_text, many[0..17], &.{17});
    try expectInvalid("a batch of 3 tokens does not fit", engine, by_text, &.{ 1, 1 }, &.{ 1, 2 });
    const full = [_]u32{ 16, 16, 16, 16, 1 };
    try expectInvalid("a batch of 65 tokens does not fit", engine, by_text, &many, &full);
    try expectInvalid("token -1 is outside the vocabulary", engine, by_text, &.{-1}, &.{1});
    try expectInvalid("token 8 is outside the vocabulary", engine, by_text, &.{8}, &.{1});

    var spec = by_text;
    spec.dimensions = tiny.embedding_size + 1;
    try expectInvalid("21 dimensions of 20", engine, spec, &.{1}, &.{1});
    spec.dimensions = 0;
    try expectInvalid("0 dimensions of 20", engine, spec, &.{1}, &.{1});
    spec = by_token;
    spec.probe = 99;
    try expectInvalid("there is no operation 99", engine, spec, &.{1}, &.{1});
    spec.probe = 5; // prepare_heads works in place
    try expectInvalid("operation 5 gives no floats", engine, spec, &.{1}, &.{1});
    try fixtures.unload(engine);
}

test "a probe behind pooling gives rows of texts, and says so when asked for tokens" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    var spec = by_text;
    spec.probe = tiny.project_index;
    const probed = try fixtures.embed(engine, spec);
    const plain = try fixtures.embed(engine, by_text);
    try testing.expectEqualSlices(f32, &plain.floats, &probed.floats);

    const why = "operation 14 has a row for each text, not for each token";
    spec.token_level = 1;
    try expectInvalid(why, engine, spec, &.{ 1, 2 }, &.{2});
    spec.probe = tiny.quantize_index;
    spec.token_level = 0;
    const other = "operation 11 has a row for each token, not for each text";
    try expectInvalid(other, engine, spec, &.{ 1, 2 }, &.{2});
    try fixtures.unload(engine);
}

test "a profile follows the same vectors: a thread's time, in each operation and behind it" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const threads = 2;
    fixture.plan.spec.threads = threads;
    for ([_]abi.Parallelism{ .texts, .matmul }) |parallelism| {
        fixture.plan.spec.parallelism = @intFromEnum(parallelism);
        const engine = try fixture.load();
        const plain = try fixtures.embed(engine, by_text);
        var spec = by_text;
        spec.profile = 1;
        const done = try fixtures.embed(engine, spec);
        const count = plain.taken.floats;
        try testing.expectEqualSlices(f32, plain.floats[0..count], done.floats[0..count]);

        const cells = done.floats[count..done.taken.floats];
        try testing.expectEqual(threads * fixture.plan.operations.len * 2, cells.len);
        for (0..threads) |thread| {
            const own = cells[thread * cells.len / threads ..][0 .. cells.len / threads];
            var total: f64 = 0;
            for (own) |nanoseconds| total += nanoseconds;
            try testing.expect(total > 0);
            try testing.expect(total <= @as(f64, @floatFromInt(done.taken.run_ns)));
        }
        try fixtures.unload(engine);
    }
}
