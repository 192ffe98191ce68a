//! Tensors of one file that become those of another, as they are or in another format. Threads take
//! slices of them, read, encode and write each by its place: a slice's bytes do not depend on the
//! others, so neither threads nor their order change any.

const std = @import("std");
const abi = @import("abi.zig");
const File = @import("file.zig").File;
const interface = @import("kernels/interface.zig");
const Message = @import("message.zig").Message;
const Pool = @import("pool.zig").Pool;
const TensorType = @import("quants/formats.zig").TensorType;
const variants = @import("variants.zig");

const c = std.c;
const gpa = std.heap.c_allocator;

pub const Error = error{
    InvalidPlan,
    FileChanged,
    NotFinite,
    TooLarge,
    NotWritten,
    OutOfMemory,
    UnsupportedCpu,
    Cancelled,
};

/// Numbers of a slice: whole groups of sixteen of the largest blocks, and little enough that what
/// was read, the floats and what is written fit a second-level cache together.
const slice_numbers = 1 << 15;

/// As float32, the largest number.
const slice_bytes = slice_numbers * 4;

/// A thread's own memory: what was read, as floats, and what is written.
const Scratch = struct {
    source: [slice_bytes]u8 align(64),
    floats: [slice_numbers]f32 align(64),
    target: [slice_bytes]u8 align(64),
};

const Work = struct {
    kernels: *const interface.Kernels,
    source: File,
    target: c.fd_t,
    passages: []align(1) const abi.Passage,
    scratch: []Scratch,
    cancel: *const std.atomic.Value(bool),
    /// The next slice that nobody has taken, counted through all passages.
    next: std.atomic.Value(u64) = .init(0),
    failed: std.atomic.Value(bool) = .init(false),
    failure: ?Failure = null,

    const Failure = struct { err: Error, passage: u32, errno: c.E = .SUCCESS };

    /// The first to fail tells why, and all stop.
    fn fail(self: *Work, failure: Failure) void {
        if (!self.failed.swap(true, .acq_rel)) self.failure = failure;
    }

    fn isOver(self: *Work) bool {
        return self.failed.load(.monotonic) or self.cancel.load(.monotonic);
    }
};

pub fn run(
    bytes: []const u8,
    pool: *Pool,
    cancel: *const std.atomic.Value(bool),
    message: *Message,
    part: *u32,
) Error!void {
    const spec = std.mem.bytesToValue(abi.RewriteSpec, bytes[0..@sizeOf(abi.RewriteSpec)]);
    const passages = try passagesOf(spec, bytes, message);
    const index = if (spec.variant == abi.none) variants.best() else spec.variant;
    const kernels = variants.kernels(index orelse return error.UnsupportedCpu) orelse
        return error.UnsupportedCpu;
    const threads = pool.grow(@max(1, spec.threads));
    var work: Work = .{
        .kernels = kernels,
        .source = .{ .fd = @intCast(spec.source_fd), .size = 0 },
        .target = @intCast(spec.target_fd),
        .passages = passages,
        .scratch = try gpa.alloc(Scratch, threads),
        .cancel = cancel,
    };
    defer gpa.free(work.scratch);
    pool.run(threads, task, &work);
    if (work.failure) |failure| {
        part.* = failure.passage;
        switch (failure.err) {
            error.NotFinite => message.set("it holds a value that is not finite", .{}),
            error.TooLarge => message.set("it holds a value that is too large for the format", .{}),
            error.FileChanged => message.set("the file ends before it does", .{}),
            error.NotWritten => message.set("E{t}", .{failure.errno}),
            else => {},
        }
        return failure.err;
    }
    if (cancel.load(.monotonic)) return error.Cancelled;
}

/// Whether a buffer can be a spec at all.
pub fn isWhole(bytes: []const u8) bool {
    if (bytes.len < @sizeOf(abi.RewriteSpec)) return false;
    const spec = std.mem.bytesToValue(abi.RewriteSpec, bytes[0..@sizeOf(abi.RewriteSpec)]);
    return spec.size == @sizeOf(abi.RewriteSpec) and spec.abi_version == abi.version;
}

fn passagesOf(
    spec: abi.RewriteSpec,
    bytes: []const u8,
    message: *Message,
) error{InvalidPlan}![]align(1) const abi.Passage {
    const end = spec.passage_offset + @as(u64, spec.passage_count) * @sizeOf(abi.Passage);
    if (end > bytes.len) return invalid(message, "passages end at {d} of {d}", .{ end, bytes.len });
    const passages = std.mem.bytesAsSlice(abi.Passage, bytes[spec.passage_offset..@intCast(end)]);
    for (passages, 0..) |passage, i| {
        const kinds = kindsOf(passage) orelse
            return invalid(message, "passage {d} has an unknown tensor type", .{i});
        if (kinds.source == null) continue;
        for ([_]TensorType{ kinds.source.?, kinds.target.? }) |kind| {
            if (passage.count % kind.blockColumns() == 0) continue;
            return invalid(message, "passage {d} is not of whole blocks of {t}", .{ i, kind });
        }
    }
    return passages;
}

fn invalid(message: *Message, comptime format: []const u8, args: anytype) error{InvalidPlan} {
    message.set(format, args);
    return error.InvalidPlan;
}

/// Both null: bytes, to be copied.
const Kinds = struct { source: ?TensorType, target: ?TensorType };

fn kindsOf(passage: abi.Passage) ?Kinds {
    if (passage.source_type == abi.none and passage.target_type == abi.none) {
        return .{ .source = null, .target = null };
    }
    return .{
        .source = std.enums.fromInt(TensorType, passage.source_type) orelse return null,
        .target = std.enums.fromInt(TensorType, passage.target_type) orelse return null,
    };
}

/// Slices of a passage; those of bytes are as long as those of float32.
fn sliceCount(passage: abi.Passage) u64 {
    const of: u64 = if (passage.source_type == abi.none) slice_bytes else slice_numbers;
    return (passage.count + of - 1) / of;
}

fn task(context: *anyopaque, thread: usize) void {
    const work: *Work = @ptrCast(@alignCast(context));
    var index: u32 = 0;
    var begin: u64 = 0;
    while (!work.isOver()) {
        const slice = work.next.fetchAdd(1, .monotonic);
        while (true) : (index += 1) {
            if (index == work.passages.len) return;
            const end = begin + sliceCount(work.passages[index]);
            if (slice < end) break;
            begin = end;
        }
        var errno: c.E = .SUCCESS;
        move(work, work.passages[index], slice - begin, &work.scratch[thread], &errno) catch |err|
            return work.fail(.{ .err = err, .passage = index, .errno = errno });
    }
}

fn move(
    work: *Work,
    passage: abi.Passage,
    slice: u64,
    scratch: *Scratch,
    errno: *c.E,
) Error!void {
    const kinds = kindsOf(passage).?;
    const source_kind = kinds.source orelse {
        const at = slice * slice_bytes;
        const bytes = scratch.source[0..@min(slice_bytes, passage.count - at)];
        try work.source.read(bytes, passage.source_offset + at);
        return write(work.target, bytes, passage.target_offset + at, errno);
    };
    const target_kind = kinds.target.?;
    const first = slice * slice_numbers;
    const count: usize = @intCast(@min(slice_numbers, passage.count - first));
    const source = scratch.source[0..@intCast(source_kind.rowBytes(count))];
    try work.source.read(source, passage.source_offset + source_kind.rowBytes(first));
    const floats = scratch.floats[0..count];
    const adds = passage.plus != 0;
    if (adds) @memset(floats, @floatCast(passage.plus));
    const finite = work.kernels.look_up(&.{
        .row = source.ptr,
        .format = source_kind,
        .dst = floats.ptr,
        .width = count,
        .scale = 1,
        .add = adds,
    });
    if (!finite) return error.NotFinite;
    const target = scratch.target[0..@intCast(target_kind.rowBytes(count))];
    const fits = work.kernels.encode(&.{
        .src = floats.ptr,
        .format = target_kind,
        .count = count,
        .dst = target.ptr,
    });
    if (!fits) return error.TooLarge;
    return write(work.target, target, passage.target_offset + target_kind.rowBytes(first), errno);
}

fn write(fd: c.fd_t, bytes: []const u8, offset: u64, errno: *c.E) error{NotWritten}!void {
    var done: usize = 0;
    while (done < bytes.len) {
        const at: c.off_t = @intCast(offset + done);
        const n = c.pwrite(fd, bytes.ptr + done, bytes.len - done, at);
        if (n < 0 and c.errno(n) == .INTR) continue;
        if (n <= 0) {
            errno.* = if (n < 0) c.errno(n) else .NOSPC;
            return error.NotWritten;
        }
        done += @intCast(n);
    }
}
