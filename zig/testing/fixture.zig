//! A small model in a temporary file, run through the real runtime.

const std = @import("std");
const abi = @import("../abi.zig");
const Files = @import("../file.zig").Files;
const Message = @import("../message.zig").Message;
const runtime = @import("../runtime.zig");
const tiny = @import("tiny.zig");

const testing = std.testing;
const Tiny = tiny.Tiny;

extern "c" fn mkfifo(path: [*:0]const u8, mode: std.c.mode_t) c_int;

/// One ragged batch; the longest text fills the context.
pub const lengths = [_]u32{ 1, 16, 5, 2, 11, 3 };
pub const ids = blk: {
    var all: [38]i32 = undefined;
    for (&all, 0..) |*id, i| id.* = (i * 5 + 3) % tiny.vocab_size;
    break :blk all;
};

/// A vector for each text.
pub const by_text: abi.EmbedSpec = .{
    .size = @sizeOf(abi.EmbedSpec),
    .text_count = lengths.len,
    .token_count = ids.len,
    .dimensions = tiny.embedding_size,
    .normalize = 1,
    .token_level = 0,
    .probe = abi.none,
    .profile = 0,
    .awaited = 0,
};

/// A vector for each token.
pub const by_token = blk: {
    var spec = by_text;
    spec.dimensions = tiny.hidden_size;
    spec.token_level = 1;
    break :blk spec;
};

pub const Fixture = struct {
    folder: testing.TmpDir,
    path_bytes: [64]u8 = undefined,
    plan: Tiny = undefined,

    pub fn init(self: *Fixture, bytes: []const u8) !void {
        self.* = .{ .folder = testing.tmpDir(.{}) };
        errdefer self.folder.cleanup();
        try self.folder.dir.writeFile(testing.io, .{ .sub_path = "weights", .data = bytes });
        const format = ".zig-cache/tmp/{s}/weights";
        const path = try std.fmt.bufPrint(&self.path_bytes, format, .{&self.folder.sub_path});
        self.plan = .init(path);
    }

    pub fn deinit(self: *Fixture) void {
        self.folder.cleanup();
    }

    /// Waits until its files are old enough to be known again.
    pub fn settle(self: *Fixture) !void {
        var arena: std.heap.ArenaAllocator = .init(testing.allocator);
        defer arena.deinit();
        var message: Message = .{};
        const files: Files = try .open(arena.allocator(), self.plan.paths, &message);
        defer files.close();
        while (try files.identities(arena.allocator()) == null) {
            try std.Io.sleep(testing.io, .fromMilliseconds(1), .awake);
        }
    }

    /// Makes the file longer, with zeros, or shorter.
    pub fn resize(self: *Fixture, length: u64) !void {
        const file = try self.folder.dir.openFile(testing.io, "weights", .{ .mode = .read_write });
        defer file.close(testing.io);
        try file.setLength(testing.io, length);
    }

    pub fn submitLoad(self: *const Fixture, channel: ?u64) !u64 {
        const spec = try self.plan.encode(testing.allocator);
        defer testing.allocator.free(spec);
        return runtime.submitLoad(channel, spec);
    }

    pub fn load(self: *const Fixture) !u64 {
        const done = try finish(try self.submitLoad(null));
        try testing.expectEqual(.ok, done.taken.status);
        return done.taken.engine;
    }

    /// Loads, embeds the batch and unloads.
    pub fn run(self: *const Fixture, spec: abi.EmbedSpec) !Done {
        const engine = try self.load();
        const done = try embed(engine, spec);
        try unload(engine);
        return done;
    }
};

/// What a finished job left.
pub const Done = struct {
    taken: runtime.Taken,
    floats: [ids.len * tiny.hidden_size]f32 = @splat(0),
    message: [abi.message_size]u8 = @splat(0),

    pub fn row(self: *const Done, i: usize, width: usize) []const f32 {
        return self.floats[i * width ..][0..width];
    }

    pub fn expectMessage(self: *const Done, expected: []const u8) !void {
        try testing.expectEqualStrings(expected, std.mem.sliceTo(&self.message, 0));
    }
};

/// Waits for a job and takes its result.
pub fn finish(ticket: u64) !Done {
    try runtime.wait(ticket);
    var done: Done = .{ .taken = undefined };
    done.taken = try runtime.take(ticket, &done.floats, &done.message);
    return done;
}

pub fn submitSpec(spec: []const u8) !u64 {
    return runtime.submitLoad(null, spec);
}

pub fn submit(channel: ?u64, engine: u64, spec: abi.EmbedSpec) !u64 {
    var message: Message = .{};
    return runtime.submitEmbed(channel, engine, spec, &ids, &lengths, &message);
}

/// Other texts than the batch above.
pub fn submitTexts(
    engine: u64,
    spec: abi.EmbedSpec,
    own_ids: []const i32,
    own_lengths: []const u32,
) !u64 {
    var message: Message = .{};
    return runtime.submitEmbed(null, engine, spec, own_ids, own_lengths, &message);
}

pub fn embed(engine: u64, spec: abi.EmbedSpec) !Done {
    return finish(try submit(null, engine, spec));
}

pub fn unload(engine: u64) !void {
    const done = try finish(try runtime.submitUnload(null, engine));
    try testing.expectEqual(.ok, done.taken.status);
}

/// The engines of a file keep it open: one that is forgotten shows here.
pub fn openDescriptors() usize {
    var count: usize = 0;
    for (0..256) |fd| {
        count += @intFromBool(std.c.fcntl(@intCast(fd), std.c.F.GETFD) >= 0);
    }
    return count;
}

/// Keeps the dispatcher busy, so that what is submitted stays queued: it opens a pipe that nobody
/// writes to.
pub const Hold = struct {
    path: [:0]const u8,
    ticket: u64,

    pub fn init(fixture: *const Fixture) !Hold {
        const path = try std.fmt.allocPrintSentinel(
            testing.allocator,
            ".zig-cache/tmp/{s}/pipe",
            .{&fixture.folder.sub_path},
            0,
        );
        errdefer testing.allocator.free(path);
        try testing.expectEqual(0, mkfifo(path, 0o600));
        const plan: Tiny = .init(path);
        const spec = try plan.encode(testing.allocator);
        defer testing.allocator.free(spec);
        return .{ .path = path, .ticket = try runtime.submitLoad(null, spec) };
    }

    pub fn release(self: *Hold) !void {
        defer testing.allocator.free(self.path);
        const fd = std.c.open(self.path, .{ .ACCMODE = .WRONLY });
        try testing.expect(fd >= 0);
        defer _ = std.c.close(fd);
        const done = try finish(self.ticket);
        try testing.expectEqual(.file_not_found, done.taken.status);
    }
};
