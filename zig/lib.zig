//! The only exports. Every function gives a status; messages go into a buffer that the caller
//! passes. No pointer is kept past a call, and nothing calls back. An empty array may be null.

const std = @import("std");
const abi = @import("abi.zig");
const Message = @import("message.zig").Message;
const runtime = @import("runtime.zig");
const search = @import("search.zig");
const TopK = @import("top_k.zig").TopK;
const variants = @import("variants.zig");

const MessageBuffer = *[abi.message_size]u8;

export fn ggufembed_system(info: *align(1) abi.SystemInfo) u32 {
    info.* = .{
        .size = @sizeOf(abi.SystemInfo),
        .abi_version = abi.version,
        .variant = if (variants.best()) |i| @intCast(i) else abi.none,
        .variants = variants.available(),
        .cpu_count = @intCast(std.Thread.getCpuCount() catch 1),
    };
    return code(.ok);
}

/// Opens a channel and gives the descriptor of its reading end, which the caller owns.
export fn ggufembed_channel_open(channel: *align(1) u64, fd: *align(1) i32) u32 {
    const opened = runtime.openChannel() catch |err| return failed(err);
    channel.* = opened.channel;
    fd.* = opened.fd;
    return code(.ok);
}

export fn ggufembed_channel_close(channel: u64) u32 {
    runtime.closeChannel(channel) catch |err| return failed(err);
    return code(.ok);
}

/// Moves up to `capacity` finished tickets out, oldest first.
export fn ggufembed_channel_drain(
    channel: u64,
    tickets: ?[*]u64,
    capacity: u32,
    count: *align(1) u32,
) u32 {
    count.* = 0;
    const into = slice(tickets, capacity) orelse return code(.invalid_argument);
    const n = runtime.drain(channel, into) catch |err| return failed(err);
    count.* = @intCast(n);
    return code(.ok);
}

/// `channel` 0: none, for a caller that waits and cannot end before the job does.
export fn ggufembed_load(
    channel: u64,
    spec: ?[*]const u8,
    spec_length: u32,
    ticket: *align(1) u64,
) u32 {
    const bytes = slice(spec, spec_length) orelse return code(.invalid_argument);
    ticket.* = runtime.submitLoad(optional(channel), bytes) catch |err| return failed(err);
    return code(.ok);
}

export fn ggufembed_embed(
    channel: u64,
    engine: u64,
    spec: *align(1) const abi.EmbedSpec,
    ids: ?[*]const i32,
    lengths: ?[*]const u32,
    ticket: *align(1) u64,
    message: MessageBuffer,
) u32 {
    var why: Message = .{};
    defer why.copyTo(message);
    if (spec.size != @sizeOf(abi.EmbedSpec)) return code(.invalid_argument);
    ticket.* = runtime.submitEmbed(
        optional(channel),
        engine,
        spec.*,
        slice(ids, spec.token_count) orelse return code(.invalid_argument),
        slice(lengths, spec.text_count) orelse return code(.invalid_argument),
        &why,
    ) catch |err| return failed(err);
    return code(.ok);
}

export fn ggufembed_unload(channel: u64, engine: u64, ticket: *align(1) u64) u32 {
    ticket.* = runtime.submitUnload(optional(channel), engine) catch |err| return failed(err);
    return code(.ok);
}

/// Makes tensors of one file into those of another; both must stay open until the job is done.
export fn ggufembed_rewrite(
    channel: u64,
    spec: ?[*]const u8,
    spec_length: u32,
    ticket: *align(1) u64,
) u32 {
    const bytes = slice(spec, spec_length) orelse return code(.invalid_argument);
    ticket.* = runtime.submitRewrite(optional(channel), bytes) catch |err| return failed(err);
    return code(.ok);
}

export fn ggufembed_stats(engine: u64, stats: *align(1) abi.Stats) u32 {
    stats.* = runtime.stats(engine) catch |err| return failed(err);
    return code(.ok);
}

export fn ggufembed_cancel(ticket: u64) u32 {
    runtime.cancel(ticket) catch |err| return failed(err);
    return code(.ok);
}

/// Blocks until the job is done.
export fn ggufembed_wait(ticket: u64) u32 {
    runtime.wait(ticket) catch |err| return failed(err);
    return code(.ok);
}

/// Copies a finished job's floats out and forgets the job.
export fn ggufembed_take(
    ticket: u64,
    result: *align(1) abi.Result,
    output: ?[*]align(1) f32,
    output_length: u64,
    message: MessageBuffer,
) u32 {
    const floats = slice(output, @intCast(output_length)) orelse return code(.invalid_argument);
    const taken = runtime.take(ticket, floats, message) catch |err| return failed(err);
    result.* = .{
        .size = @sizeOf(abi.Result),
        .status = code(taken.status),
        .engine = taken.engine,
        .float_count = taken.floats,
        .run_ns = taken.run_ns,
        .part = taken.part,
        .reserved = 0,
    };
    return code(.ok);
}

/// Holds rows against queries, and keeps the best of those that came so far: `counts` are 0 at
/// first. Row scales count for dot products of bytes and bits. Runs in the calling thread.
export fn ggufembed_search(
    spec: *align(1) const abi.SearchSpec,
    queries: ?[*]const u8,
    query_numbers: ?[*]const f64,
    rows: ?[*]const u8,
    row_scales: ?[*]const f32,
    scores: ?[*]f64,
    indices: ?[*]u32,
    counts: ?[*]u32,
) u32 {
    if (!search.isValid(spec.*)) return code(.invalid_argument);
    const bytes = search.rowBytes(spec.*);
    const query_count: usize = spec.query_count;
    const kept = query_count * spec.capacity;
    var vectors: search.Vectors = .{
        .queries = slice(queries, query_count * bytes) orelse return code(.invalid_argument),
        .query_numbers = slice(query_numbers, query_count) orelse return code(.invalid_argument),
        .rows = slice(rows, spec.row_count * bytes) orelse return code(.invalid_argument),
        .row_scales = null,
    };
    if (search.hasScales(spec.*)) vectors.row_scales = row_scales orelse
        return code(.invalid_argument);
    return code(search.run(spec.*, vectors, .{
        .scores = slice(scores, kept) orelse return code(.invalid_argument),
        .indices = slice(indices, kept) orelse return code(.invalid_argument),
        .counts = slice(counts, query_count) orelse return code(.invalid_argument),
    }));
}

/// Of `count` rows that a search has kept, `left` of them not yet sorted, sorts until fewer are
/// left, `next`: the others follow them, best first.
export fn ggufembed_search_sort(
    scores: ?[*]f64,
    indices: ?[*]u32,
    left: u32,
    next: u32,
) u32 {
    var top: TopK = .{
        .scores = slice(scores, left) orelse return code(.invalid_argument),
        .indices = slice(indices, left) orelse return code(.invalid_argument),
        .count = left,
    };
    top.sortDownTo(next);
    return code(.ok);
}

/// What a pointer from outside and a length say together; null when they contradict each other.
fn slice(pointer: anytype, length: usize) ?@TypeOf((pointer orelse unreachable)[0..length]) {
    const p = pointer orelse return if (length == 0) &.{} else null;
    return p[0..length];
}

fn optional(channel: u64) ?u64 {
    return if (channel == 0) null else channel;
}

fn code(status: abi.Status) u32 {
    return @intFromEnum(status);
}

/// The one place where a runtime error becomes a number.
fn failed(err: runtime.Error) u32 {
    return code(switch (err) {
        error.StaleHandle => .stale_handle,
        error.InvalidArgument => .invalid_argument,
        error.OutOfMemory => .out_of_memory,
        error.System => .system,
    });
}

test "an empty array may be null, another may not" {
    const none: ?[*]const u8 = null;
    try std.testing.expectEqual(0, slice(none, 0).?.len);
    try std.testing.expectEqual(null, slice(none, 1));

    var message: [abi.message_size]u8 = undefined;
    var ticket: u64 = 0;
    var count: u32 = 1;
    var result: abi.Result = undefined;
    const spec: abi.EmbedSpec = .{
        .size = @sizeOf(abi.EmbedSpec),
        .text_count = 0,
        .token_count = 0,
        .dimensions = 1,
        .normalize = 1,
        .token_level = 0,
        .probe = abi.none,
        .profile = 0,
        .awaited = 0,
    };
    const stale = code(.stale_handle);
    const invalid = code(.invalid_argument);
    try std.testing.expectEqual(stale, ggufembed_embed(0, 9, &spec, null, null, &ticket, &message));
    try std.testing.expectEqual(stale, ggufembed_take(9, &result, null, 0, &message));
    var stats: abi.Stats = undefined;
    try std.testing.expectEqual(stale, ggufembed_stats(9, &stats));
    try std.testing.expectEqual(stale, ggufembed_channel_drain(9, null, 0, &count));
    try std.testing.expectEqual(0, count);
    try std.testing.expectEqual(invalid, ggufembed_load(0, null, 1, &ticket));
    try std.testing.expectEqual(code(.ok), ggufembed_load(0, null, 0, &ticket));
    try std.testing.expectEqual(code(.ok), ggufembed_wait(ticket));
    try std.testing.expectEqual(code(.ok), ggufembed_take(ticket, &result, null, 0, &message));
    try std.testing.expectEqual(invalid, result.status);
    try std.testing.expectEqualStrings("the load spec is too short", std.mem.sliceTo(&message, 0));
}
