//! A model whose tensors lie in several files is the model that it is in one.

const std = @import("std");
const abi = @import("../abi.zig");
const fixtures = @import("fixture.zig");
const runtime = @import("../runtime.zig");
const tiny = @import("tiny.zig");

const testing = std.testing;
const Fixture = fixtures.Fixture;
const Tiny = tiny.Tiny;
const by_text = fixtures.by_text;

const names = [_][]const u8{ "one", "two", "three" };
/// Of the first table: too many to keep in memory.
const table_rows = 40_000;

/// The tiny model, its tensors dealt out to three files in turn.
const Shards = struct {
    fixture: Fixture,
    path_bytes: [256]u8 = undefined,

    fn init(self: *Shards) !void {
        const gpa = testing.allocator;
        const whole = Tiny.file();
        try self.fixture.init("");
        errdefer self.fixture.deinit();
        const plan = &self.fixture.plan;
        var bodies: [names.len]std.ArrayList(u8) = @splat(.empty);
        defer for (&bodies) |*body| body.deinit(gpa);
        for (&plan.parts, 1..) |*part, i| {
            part.file = @intCast(i % names.len);
            const bytes = whole[@intCast(part.offset)..][0..@intCast(part.byte_length)];
            const body = &bodies[part.file];
            part.offset = body.items.len;
            try body.appendSlice(gpa, bytes);
            if (i > 1) continue;
            part.byte_length = table_rows * tiny.hidden_size * 4;
            part.rows = table_rows;
            plan.weights[0].rows = table_rows;
            try body.appendNTimes(gpa, 0, @intCast(part.byte_length - bytes.len));
        }
        var paths: std.Io.Writer = .fixed(&self.path_bytes);
        for (names, bodies, 0..) |name, body, i| {
            try self.write(name, body.items);
            if (i > 0) try paths.writeByte(0);
            try paths.print(".zig-cache/tmp/{s}/{s}", .{ &self.fixture.folder.sub_path, name });
        }
        plan.paths = paths.buffered();
    }

    fn write(self: *Shards, name: []const u8, bytes: []const u8) !void {
        try self.fixture.folder.dir.writeFile(testing.io, .{ .sub_path = name, .data = bytes });
    }
};

fn expectLoadFails(fixture: *const Fixture, status: abi.Status, message: []const u8) !void {
    const done = try fixtures.finish(try fixture.submitLoad(null));
    try testing.expectEqual(status, done.taken.status);
    try done.expectMessage(message);
}

test "tensors in three files give the bits of one file, and nothing stays open" {
    var one: Fixture = undefined;
    try one.init(&Tiny.file());
    defer one.deinit();
    const expected = try one.run(by_text);
    var three: Shards = undefined;
    try three.init();
    defer three.fixture.deinit();
    const open = fixtures.openDescriptors();
    const engine = try three.fixture.load();
    try testing.expectEqual(open + names.len, fixtures.openDescriptors());
    const found = try fixtures.embed(engine, by_text);
    try testing.expectEqual(.ok, found.taken.status);
    try testing.expectEqualSlices(f32, &expected.floats, &found.floats);
    try fixtures.unload(engine);
    try testing.expectEqual(open, fixtures.openDescriptors());
}

test "a file that is missing is counted, one that is short is not read, and none stays open" {
    var shards: Shards = undefined;
    try shards.init();
    defer shards.fixture.deinit();
    const fixture = &shards.fixture;
    const open = fixtures.openDescriptors();
    try shards.write("two", "short");
    try expectLoadFails(fixture, .file_changed, "weight 0 lies outside its file");
    try fixture.folder.dir.deleteFile(testing.io, "two");
    try expectLoadFails(fixture, .file_not_found, "cannot open file 2 of 3");
    try testing.expectEqual(open, fixtures.openDescriptors());
}

test "a tensor in a file that nobody named is refused" {
    var shards: Shards = undefined;
    try shards.init();
    defer shards.fixture.deinit();
    shards.fixture.plan.parts[2].file = names.len;
    try expectLoadFails(&shards.fixture, .invalid_argument, "weight 2 is in file 3 of 3");
}

test "what was packed is shared until any of the files is another" {
    var shards: Shards = undefined;
    try shards.init();
    defer shards.fixture.deinit();
    const fixture = &shards.fixture;
    const dir = fixture.folder.dir;
    try fixture.settle();
    const first = try fixture.load();
    const second = try fixture.load();
    try testing.expectEqual(2, (try runtime.stats(second)).sharers);
    const bytes = try dir.readFileAlloc(testing.io, "three", testing.allocator, .unlimited);
    defer testing.allocator.free(bytes);
    try shards.write("three", bytes);
    try fixture.settle();
    const third = try fixture.load();
    try testing.expectEqual(1, (try runtime.stats(third)).sharers);
    for ([_]u64{ first, second, third }) |engine| try fixtures.unload(engine);
}
