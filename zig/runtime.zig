//! The one runtime of a process: a queue of jobs, the dispatcher thread that runs them in order,
//! and the pool that all engines share. Everything here happens under one mutex except the work
//! itself.

const std = @import("std");
const abi = @import("abi.zig");
const batches = @import("batch.zig");
const Channel = @import("channel.zig").Channel;
const clock = @import("clock.zig");
const Engine = @import("engine.zig").Engine;
const Shared = @import("engine.zig").Shared;
const handles = @import("handles.zig");
const Message = @import("message.zig").Message;
const Pool = @import("pool.zig").Pool;
const pools = @import("pool.zig");
const rewrite = @import("rewrite.zig");
const run = @import("run.zig");

const Handle = handles.Handle;
const gpa = std.heap.c_allocator;

pub const Error = error{ StaleHandle, InvalidArgument, OutOfMemory, System };

const Job = struct {
    ticket: Handle = 0,
    /// Its caller's; the job goes when that closes.
    channel: ?Handle,
    /// The caller waits for it: the channel need not tell.
    awaited: bool = false,
    work: union(enum) {
        load: []u8,
        rewrite: []u8,
        embed: Embed,
        unload: Handle,
    },
    next: ?*Job = null,
    cancel: std.atomic.Value(bool) = .init(false),
    done: bool = false,
    /// Its channel was closed and its ticket means nothing any more.
    orphaned: bool = false,
    status: abi.Status = .running,
    message: Message = .{},
    part: u32 = abi.none,
    engine: Handle = 0,
    run_ns: u64 = 0,

    const Embed = struct {
        engine: Handle,
        ids: []i32,
        texts: []batches.Text,
        /// The vectors; behind them the profile, if it is wanted.
        output: []f32,
        vectors: usize,
        spec: abi.EmbedSpec,
    };

    fn destroy(self: *Job) void {
        self.release();
        gpa.destroy(self);
    }

    fn release(self: *Job) void {
        switch (self.work) {
            .load, .rewrite => |bytes| gpa.free(bytes),
            .embed => |embed| {
                gpa.free(embed.ids);
                gpa.free(embed.texts);
                gpa.free(embed.output);
            },
            .unload => {},
        }
    }
};

var mutex: std.Io.Mutex = .init;
var queued: std.Io.Condition = .init;
var finished: std.Io.Condition = .init;
var dispatcher: ?std.Thread = null;
var first: ?*Job = null;
var last: ?*Job = null;
var jobs: handles.Table(Job) = .{};
var engines: handles.Table(Engine) = .{};
var channels: handles.Table(Channel) = .{};
var pool: Pool = .{};
var shared: Shared = .{};

fn io() std.Io {
    return std.Io.Threaded.global_single_threaded.io();
}

fn lock() void {
    mutex.lockUncancelable(io());
}

fn unlock() void {
    mutex.unlock(io());
}

pub const Opened = struct { channel: Handle, fd: std.c.fd_t };

pub fn openChannel() Error!Opened {
    const channel = try gpa.create(Channel);
    errdefer gpa.destroy(channel);
    const ends = try Channel.open();
    errdefer for ([_]std.c.fd_t{ ends.ours, ends.theirs }) |fd| {
        _ = std.c.close(fd);
    };
    channel.* = .{ .write_fd = ends.ours };
    lock();
    defer unlock();
    closeAbandoned();
    const handle = try channels.add(gpa, channel);
    return .{ .channel = handle, .fd = ends.theirs };
}

/// A Worker that is terminated tells nobody: what it left goes when the next one comes, or the next
/// model, so that it never adds up.
fn closeAbandoned() void {
    for (0..channels.slots.items.len) |i| {
        const handle = channels.at(i) orelse continue;
        const channel = channels.get(handle).?;
        if (channel.isAbandoned()) forget(handle, channel);
    }
}

/// Jobs of a closed channel are cancelled, and forgotten as they finish: nobody has their tickets.
/// The models that it loaded are unloaded: nobody has their handles.
pub fn closeChannel(handle: Handle) Error!void {
    lock();
    defer unlock();
    forget(handle, channels.get(handle) orelse return error.StaleHandle);
}

/// Under the mutex.
fn forget(handle: Handle, channel: *Channel) void {
    for (jobs.slots.items) |slot| {
        const job = slot.item orelse continue;
        if (job.channel != handle) continue;
        jobs.remove(job.ticket);
        job.channel = null;
        job.orphaned = true;
        if (job.done) bury(job) else job.cancel.store(true, .monotonic);
    }
    for (0..engines.slots.items.len) |i| {
        const engine = engines.at(i) orelse continue;
        if (engines.get(engine).?.owner == handle) unloadOrphan(engine);
    }
    channels.remove(handle);
    channel.close(gpa);
    gpa.destroy(channel);
    finished.broadcast(io());
}

/// Behind the jobs that use it. Without memory for the job the model stays.
fn unloadOrphan(engine: Handle) void {
    const job = gpa.create(Job) catch return;
    job.* = .{ .channel = null, .work = .{ .unload = engine }, .orphaned = true };
    enqueue(job);
}

/// Frees an orphan that is done. An engine that it loaded goes too, since nobody has its handle:
/// the job becomes the one that unloads it, because only the dispatcher may touch what is shared.
fn bury(job: *Job) void {
    const engine = job.engine;
    if (engines.get(engine) == null) return job.destroy();
    job.release();
    job.* = .{ .channel = null, .work = .{ .unload = engine }, .orphaned = true };
    enqueue(job);
}

/// Finished tickets of a channel, oldest first; how many.
pub fn drain(handle: Handle, into: []Handle) Error!usize {
    lock();
    defer unlock();
    const channel = channels.get(handle) orelse return error.StaleHandle;
    return channel.drain(into);
}

/// Of a loaded model, whatever runs.
pub fn stats(handle: Handle) Error!abi.Stats {
    lock();
    defer unlock();
    const engine = engines.get(handle) orelse return error.StaleHandle;
    var sharers: u32 = 0;
    for (engines.slots.items) |slot| {
        const other = slot.item orelse continue;
        sharers += @intFromBool(other.model == engine.model);
    }
    return .{
        .size = @sizeOf(abi.Stats),
        .variant = engine.model.key.variant,
        .threads = @intCast(engine.threads),
        .sharers = sharers,
        .weight_bytes = engine.model.region.bytes,
        .workspace_bytes = engine.workspace.region.resident(),
    };
}

pub fn submitLoad(channel: ?Handle, spec: []const u8) Error!Handle {
    const bytes = try gpa.dupe(u8, spec);
    errdefer gpa.free(bytes);
    lock();
    defer unlock();
    closeAbandoned();
    return submit(channel, .{ .load = bytes });
}

pub fn submitRewrite(channel: ?Handle, spec: []const u8) Error!Handle {
    if (!rewrite.isWhole(spec)) return error.InvalidArgument;
    const bytes = try gpa.dupe(u8, spec);
    errdefer gpa.free(bytes);
    lock();
    defer unlock();
    return submit(channel, .{ .rewrite = bytes });
}

pub fn submitUnload(channel: ?Handle, engine: Handle) Error!Handle {
    lock();
    defer unlock();
    return submit(channel, .{ .unload = engine });
}

pub fn submitEmbed(
    channel: ?Handle,
    engine_handle: Handle,
    spec: abi.EmbedSpec,
    ids: []const i32,
    lengths: []align(1) const u32,
    message: *Message,
) Error!Handle {
    const kind, const profile = blk: {
        lock();
        defer unlock();
        const engine = engines.get(engine_handle) orelse return error.StaleHandle;
        try checkTexts(engine.spec, ids, lengths, message);
        const kind = try outputShape(engine, spec, message);
        break :blk .{ kind, if (spec.profile != 0) run.profileLength(engine) else 0 };
    };
    const rows: usize = if (kind == .tokens) ids.len else lengths.len;
    const vectors = rows * spec.dimensions;
    const own_ids = try gpa.dupe(i32, ids);
    errdefer gpa.free(own_ids);
    const texts = try gpa.alloc(batches.Text, lengths.len);
    errdefer gpa.free(texts);
    batches.layOut(texts, lengths);
    const output = try gpa.alloc(f32, vectors + profile);
    errdefer gpa.free(output);
    lock();
    defer unlock();
    return submit(channel, .{ .embed = .{
        .engine = engine_handle,
        .ids = own_ids,
        .texts = texts,
        .output = output,
        .vectors = vectors,
        .spec = spec,
    } });
}

fn checkTexts(
    limits: abi.LoadSpec,
    ids: []const i32,
    lengths: []align(1) const u32,
    message: *Message,
) error{InvalidArgument}!void {
    if (lengths.len == 0) return invalid(message, "a batch needs a text", .{});
    var total: u64 = 0;
    for (lengths, 0..) |length, i| {
        if (length == 0 or length > limits.context_length) {
            return invalid(message, "text {d} has {d} tokens", .{ i, length });
        }
        total += length;
    }
    if (total != ids.len or total > limits.token_capacity) {
        return invalid(message, "a batch of {d} tokens does not fit", .{total});
    }
    const end = @as(u64, limits.vocab_size) * limits.type_count;
    for (ids) |id| if (id < 0 or id >= end) {
        return invalid(message, "token {d} is outside the vocabulary", .{id});
    };
}

/// What comes out: the plan's own output, the rows before pooling, or a probed operation's.
fn outputShape(
    engine: *const Engine,
    spec: abi.EmbedSpec,
    message: *Message,
) error{InvalidArgument}!abi.RowKind {
    const kind: abi.RowKind = if (spec.token_level != 0) .tokens else .texts;
    const width = if (spec.probe != abi.none)
        try probedWidth(engine, spec.probe, kind, message)
    else if (kind == .tokens)
        engine.spec.hidden_size
    else
        engine.spec.embedding_size;
    if (spec.dimensions == 0 or spec.dimensions > width) {
        return invalid(message, "{d} dimensions of {d}", .{ spec.dimensions, width });
    }
    return kind;
}

/// Width of what operation `index` writes, which must have the rows that the caller expects.
fn probedWidth(
    engine: *const Engine,
    index: u32,
    kind: abi.RowKind,
    message: *Message,
) error{InvalidArgument}!usize {
    if (index >= engine.operations.len) {
        return invalid(message, "there is no operation {d}", .{index});
    }
    const dst = engine.operations[index].dst;
    if (dst >= engine.workspace.buffers.len or engine.workspace.buffers[dst].float == null) {
        return invalid(message, "operation {d} gives no floats", .{index});
    }
    const buffer = engine.workspace.buffers[dst];
    if (buffer.kind == kind) return buffer.width;
    const found, const wanted = if (buffer.kind == .texts)
        .{ "text", "token" }
    else
        .{ "token", "text" };
    return invalid(message, "operation {d} has a row for each {s}, not for each {s}", .{
        index,
        found,
        wanted,
    });
}

fn invalid(message: *Message, comptime format: []const u8, args: anytype) error{InvalidArgument} {
    message.set(format, args);
    return error.InvalidArgument;
}

/// Under the mutex.
fn submit(channel: ?Handle, work: @FieldType(Job, "work")) Error!Handle {
    if (dispatcher == null) {
        dispatcher = std.Thread.spawn(.{}, dispatch, .{}) catch return error.System;
    }
    const awaited = work == .embed and work.embed.spec.awaited != 0;
    const owner = if (channel) |handle|
        channels.get(handle) orelse return error.StaleHandle
    else
        null;
    const told = if (awaited) null else owner;
    if (told) |target| try target.reserve(gpa);
    const job = try gpa.create(Job);
    errdefer gpa.destroy(job);
    job.* = .{ .channel = channel, .awaited = awaited, .work = work };
    job.ticket = try jobs.add(gpa, job);
    if (told) |target| target.unfinished += 1;
    enqueue(job);
    return job.ticket;
}

/// Under the mutex.
fn enqueue(job: *Job) void {
    if (last) |tail| tail.next = job else first = job;
    last = job;
    queued.signal(io());
}

pub fn cancel(ticket: Handle) Error!void {
    lock();
    defer unlock();
    const job = jobs.get(ticket) orelse return error.StaleHandle;
    job.cancel.store(true, .monotonic);
}

/// Blocks until a job is done.
pub fn wait(ticket: Handle) Error!void {
    lock();
    defer unlock();
    while (true) {
        const job = jobs.get(ticket) orelse return error.StaleHandle;
        if (job.done) return;
        finished.waitUncancelable(io(), &mutex);
    }
}

pub const Taken = struct {
    status: abi.Status,
    engine: Handle,
    part: u32,
    run_ns: u64,
    floats: usize,
};

/// Copies a finished job's result out and forgets the job. Too small a buffer leaves it as it is.
pub fn take(ticket: Handle, output: []align(1) f32, message: *[abi.message_size]u8) Error!Taken {
    lock();
    defer unlock();
    const job = jobs.get(ticket) orelse return error.StaleHandle;
    if (!job.done) return .{ .status = .running, .engine = 0, .part = 0, .run_ns = 0, .floats = 0 };
    var floats: usize = 0;
    if (job.status == .ok and job.work == .embed) {
        const from = job.work.embed.output;
        if (from.len > output.len) return error.InvalidArgument;
        @memcpy(output[0..from.len], from);
        floats = from.len;
    }
    job.message.copyTo(message);
    defer job.destroy();
    jobs.remove(ticket);
    return .{
        .status = job.status,
        .engine = job.engine,
        .part = job.part,
        .run_ns = job.run_ns,
        .floats = floats,
    };
}

/// The dispatcher thread: one job after the other, each on as many threads as its engine wants.
fn dispatch() void {
    pools.begin();
    lock();
    while (true) {
        while (first == null) queued.waitUncancelable(io(), &mutex);
        const job = first.?;
        first = job.next;
        if (first == null) last = null;
        const engine = switch (job.work) {
            .load, .rewrite => null,
            .embed => |embed| engines.get(embed.engine),
            .unload => |handle| engines.get(handle),
        };
        unlock();
        const start = clock.now();
        perform(job, engine);
        job.run_ns = clock.now() - start;
        lock();
        finish(job);
    }
}

fn perform(job: *Job, engine: ?*Engine) void {
    if (job.cancel.load(.monotonic) and job.work != .unload) {
        job.status = .cancelled;
        return;
    }
    switch (job.work) {
        .load => |bytes| load(job, bytes),
        .rewrite => |bytes| rewriteTensors(job, bytes),
        .embed => |embed| runEmbed(job, embed, engine),
        .unload => |handle| {
            const loaded = engine orelse {
                job.status = .stale_handle;
                return;
            };
            lock();
            engines.remove(handle);
            unlock();
            loaded.destroy();
            job.status = .ok;
        },
    }
}

fn load(job: *Job, bytes: []const u8) void {
    const engine = Engine.load(
        bytes,
        &shared,
        &pool,
        &job.cancel,
        &job.message,
        &job.part,
    ) catch |err| {
        job.status = switch (err) {
            error.InvalidPlan => .invalid_argument,
            error.FileNotFound => .file_not_found,
            error.FileChanged => .file_changed,
            error.NotFinite => .not_finite,
            error.OutOfMemory => .out_of_memory,
            error.UnsupportedCpu => .unsupported_cpu,
            error.Cancelled => .cancelled,
        };
        return;
    };
    lock();
    defer unlock();
    engine.owner = job.channel;
    job.engine = engines.add(gpa, engine) catch {
        engine.destroy();
        job.status = .out_of_memory;
        return;
    };
    job.status = .ok;
}

fn rewriteTensors(job: *Job, bytes: []const u8) void {
    job.status = .ok;
    rewrite.run(bytes, &pool, &job.cancel, &job.message, &job.part) catch |err| {
        job.status = switch (err) {
            error.InvalidPlan => .invalid_argument,
            error.FileChanged => .file_changed,
            error.NotFinite => .not_finite,
            error.TooLarge => .too_large,
            error.NotWritten => .not_written,
            error.OutOfMemory => .out_of_memory,
            error.UnsupportedCpu => .unsupported_cpu,
            error.Cancelled => .cancelled,
        };
    };
}

fn runEmbed(job: *Job, embed: Job.Embed, engine: ?*Engine) void {
    const loaded = engine orelse {
        job.status = .stale_handle;
        return;
    };
    const batch: batches.Batch = .{
        .ids = embed.ids,
        .texts = embed.texts,
        .dimensions = embed.spec.dimensions,
        .normalize = embed.spec.normalize != 0,
        .token_level = embed.spec.token_level != 0,
        .probe = embed.spec.probe,
        .output = embed.output[0..embed.vectors],
        .profile = if (embed.spec.profile != 0) embed.output[embed.vectors..] else null,
        .cancel = &job.cancel,
    };
    loaded.reach(batch.longest());
    var failure: run.Failure = .{};
    run.run(loaded, &batch, &failure);
    job.status = failure.status();
    job.part = failure.part;
    switch (job.status) {
        .file_changed => job.message.set("row {d} is no longer in the file", .{failure.row}),
        .not_finite => if (failure.part != abi.none)
            job.message.set("row {d} has a value that is not finite", .{failure.row})
        else
            job.message.set("the embedding has a value that is not finite", .{}),
        else => {},
    }
}

/// Under the mutex.
fn finish(job: *Job) void {
    job.done = true;
    if (job.orphaned) return bury(job);
    if (!job.awaited) if (job.channel) |handle| channels.get(handle).?.push(job.ticket);
    finished.broadcast(io());
}
