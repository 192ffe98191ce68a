//! What engines of one file share, and that they notice it only by the memory that it saves.

const std = @import("std");
const abi = @import("../abi.zig");
const batches = @import("../batch.zig");
const engines = @import("../engine.zig");
const fixtures = @import("fixture.zig");
const Message = @import("../message.zig").Message;
const Pool = @import("../pool.zig").Pool;
const run = @import("../run.zig");
const runtime = @import("../runtime.zig");
const tiny = @import("tiny.zig");
const variants = @import("../variants.zig");

const testing = std.testing;
const Fixture = fixtures.Fixture;
const Tiny = tiny.Tiny;
const by_text = fixtures.by_text;

/// A file that is old enough to be known again.
fn initFixture(fixture: *Fixture) !void {
    const bytes = Tiny.file();
    try fixture.init(&bytes);
    try fixture.settle();
}

fn expectSharers(expected: u32, handles: []const u64) !void {
    for (handles) |engine| {
        try testing.expectEqual(expected, (try runtime.stats(engine)).sharers);
    }
}

fn expectSame(expected: *const fixtures.Done, engine: u64) !void {
    const found = try fixtures.embed(engine, by_text);
    try testing.expectEqual(.ok, found.taken.status);
    try testing.expectEqualSlices(f32, &expected.floats, &found.floats);
}

test "engines of one file have one set of weights, whatever else they differ in" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const open = fixtures.openDescriptors();
    const first = try fixture.load();
    const expected = try fixtures.embed(first, by_text);
    fixture.plan.spec.threads = 3;
    fixture.plan.spec.parallelism = @intFromEnum(abi.Parallelism.matmul);
    const second = try fixture.load();
    fixture.plan.spec.token_capacity += 1;
    fixture.plan.operations[3].number = 1e-5;
    const third = try fixture.load();
    try testing.expectEqual(open + 1, fixtures.openDescriptors());
    try expectSharers(3, &.{ first, second, third });
    try expectSame(&expected, second);
    const other = try fixtures.embed(third, by_text);
    try testing.expect(!std.mem.eql(f32, &expected.floats, &other.floats));

    try fixtures.unload(first);
    try expectSharers(2, &.{ second, third });
    try expectSame(&expected, second);
    try fixtures.unload(third);
    try expectSharers(1, &.{second});
    try expectSame(&expected, second);
    try fixtures.unload(second);
    try testing.expectEqual(open, fixtures.openDescriptors());
}

test "a load that was queued behind another of the same file finds what it packed" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    var hold: fixtures.Hold = try .init(&fixture);
    var tickets: [4]u64 = undefined;
    for (&tickets) |*ticket| ticket.* = try fixture.submitLoad(null);
    // The first to run packs, whoever that is.
    try runtime.cancel(tickets[0]);
    try runtime.cancel(tickets[2]);
    try hold.release();
    try testing.expectEqual(.cancelled, (try fixtures.finish(tickets[0])).taken.status);
    try testing.expectEqual(.cancelled, (try fixtures.finish(tickets[2])).taken.status);
    const one = (try fixtures.finish(tickets[1])).taken.engine;
    const two = (try fixtures.finish(tickets[3])).taken.engine;
    try expectSharers(2, &.{ one, two });
    try fixtures.unload(one);
    try expectSharers(1, &.{two});
    try fixtures.unload(two);
}

test "a file that was replaced or written over is read again, and the old one goes on" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const dir = fixture.folder.dir;
    var bytes = Tiny.file();
    const old = try fixture.load();
    const expected = try fixtures.embed(old, by_text);

    // The same length, and other rows in the first table.
    for (bytes[0 .. tiny.vocab_size * tiny.hidden_size]) |*byte| byte.* ^= 1;
    try dir.writeFile(testing.io, .{ .sub_path = "weights", .data = &bytes });
    try fixture.settle();
    const written = try fixture.load();
    try expectSharers(1, &.{ old, written });
    const changed = try fixtures.embed(written, by_text);
    try testing.expect(!std.mem.eql(f32, &expected.floats, &changed.floats));

    try dir.writeFile(testing.io, .{ .sub_path = "other", .data = &bytes });
    try dir.rename("other", dir, "weights", testing.io);
    try fixture.settle();
    const replaced = try fixture.load();
    const again = try fixture.load();
    try expectSharers(1, &.{ old, written });
    try expectSharers(2, &.{ replaced, again });
    try expectSame(&expected, old);
    for ([_]u64{ written, replaced, again }) |engine| try expectSame(&changed, engine);
    for ([_]u64{ old, written, replaced, again }) |engine| try fixtures.unload(engine);
}

test "a file that changed just now is not taken for known" {
    var fixture: Fixture = undefined;
    const bytes = Tiny.file();
    try fixture.init(&bytes);
    defer fixture.deinit();
    // Whether this one is known in time depends on the machine; the next may not depend on it.
    const first = try fixture.load();
    try fixture.settle();
    const second = try fixture.load();
    const third = try fixture.load();
    try expectSharers((try runtime.stats(second)).sharers, &.{third});
    try testing.expect((try runtime.stats(third)).sharers >= 2);
    for ([_]u64{ first, second, third }) |engine| try fixtures.unload(engine);
}

test "another variant, other tensors or other weights of one file are packed for themselves" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const first = try fixture.load();
    var others: std.ArrayList(u64) = .empty;
    defer others.deinit(testing.allocator);
    for (0..variants.all.len) |i| {
        if (variants.kernels(i) == null or i == variants.best().?) continue;
        fixture.plan.spec.variant = @intCast(i);
        try others.append(testing.allocator, try fixture.load());
    }
    fixture.plan.spec.variant = abi.none;
    // Another tensor of the same shape and type.
    fixture.plan.parts[9].offset = fixture.plan.parts[4].offset;
    try others.append(testing.allocator, try fixture.load());
    try expectSharers(1, &.{first});
    try expectSharers(1, others.items);
    for (others.items) |engine| try fixtures.unload(engine);
    try fixtures.unload(first);
}

test "loads of a shared file that fail leave the others as they were" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    const engine = try fixture.load();
    const expected = try fixtures.embed(engine, by_text);
    const open = fixtures.openDescriptors();
    const whole = fixture.plan;
    for (0..4) |i| {
        fixture.plan = whole;
        const wanted: abi.Status = switch (i) {
            0 => blk: {
                fixture.plan.operations[4].src = 99;
                break :blk .invalid_argument;
            },
            1 => blk: {
                fixture.plan.parts[4].offset = Tiny.file_size;
                break :blk .file_changed;
            },
            2 => blk: {
                fixture.plan.spec.variant = variants.all.len;
                break :blk .unsupported_cpu;
            },
            // Buffers of some 40 GB: a machine that has so much must only take them back.
            else => blk: {
                fixture.plan.spec.token_capacity = 1 << 24;
                break :blk .out_of_memory;
            },
        };
        const done = try fixtures.finish(try fixture.submitLoad(null));
        if (i == 3 and done.taken.status == .ok) {
            try fixtures.unload(done.taken.engine);
        } else {
            try testing.expectEqual(wanted, done.taken.status);
        }
        try expectSharers(1, &.{engine});
        try testing.expectEqual(open, fixtures.openDescriptors());
        try expectSame(&expected, engine);
    }
    try fixtures.unload(engine);
}

test "engines of one shape share a workspace, and no bit depends on what the other left there" {
    var fixture: Fixture = undefined;
    try initFixture(&fixture);
    defer fixture.deinit();
    var shared: engines.Shared = .{};
    var pool: Pool = .{};
    defer pool.deinit();
    fixture.plan.spec.threads = 2;
    const first = try loadInto(&fixture, &shared, &pool);
    fixture.plan.spec.threads = 1;
    fixture.plan.operations[3].number = 1e-5;
    const second = try loadInto(&fixture, &shared, &pool);
    fixture.plan.spec.threads = 3;
    const third = try loadInto(&fixture, &shared, &pool);
    try testing.expectEqual(first.workspace, second.workspace);
    try testing.expect(first.workspace != third.workspace);

    const alone = try embedAlone(first);
    const other = try embedAlone(second);
    try testing.expect(!std.mem.eql(f32, &alone, &other));
    try testing.expectEqualSlices(f32, &alone, &try embedAlone(first));
    // Not a number, wherever one is read.
    @memset(first.workspace.region.mapped, 0xff);
    try testing.expectEqualSlices(f32, &other, &try embedAlone(second));
    @memset(first.workspace.region.mapped, 0xff);
    try testing.expectEqualSlices(f32, &alone, &try embedAlone(first));

    for ([_]*engines.Engine{ first, third, second }) |engine| engine.destroy();
    try testing.expectEqual(null, shared.models.first);
    try testing.expectEqual(null, shared.workspaces.first);
}

fn loadInto(fixture: *const Fixture, shared: *engines.Shared, pool: *Pool) !*engines.Engine {
    const spec = try fixture.plan.encode(testing.allocator);
    defer testing.allocator.free(spec);
    var message: Message = .{};
    var part: u32 = 0;
    return engines.Engine.load(spec, shared, pool, &.init(false), &message, &part);
}

const vectors = fixtures.lengths.len * tiny.embedding_size;

fn embedAlone(engine: *const engines.Engine) ![vectors]f32 {
    var texts: [fixtures.lengths.len]batches.Text = undefined;
    batches.layOut(&texts, &fixtures.lengths);
    var output: [vectors]f32 = undefined;
    const batch: batches.Batch = .{
        .ids = &fixtures.ids,
        .texts = &texts,
        .dimensions = tiny.embedding_size,
        .normalize = true,
        .token_level = false,
        .probe = abi.none,
        .output = &output,
        .profile = null,
        .cancel = &.init(false),
    };
    engine.reach(batch.longest());
    var failure: run.Failure = .{};
    run.run(engine, &batch, &failure);
    try testing.expectEqual(.ok, failure.status());
    return output;
}
