//! The commands of the yardstick.

const std = @import("std");
const builtin = @import("builtin");
const clock = @import("../clock.zig");
const Peak = @import("../kernels/peak.zig").Peak;
const Work = @import("../kernels/peak.zig").Work;
const pools = @import("../pool.zig");
const variants = @import("../variants.zig");

pub const Words = std.mem.TokenIterator(u8, .scalar);

const lanes = @import("../kernels/interface.zig").lanes;
const thread_max = pools.thread_count_max;

/// Rounds between two looks at the clock: some tens of microseconds.
const rounds_a_look = 4096;
/// Bytes between two looks at the clock.
const bytes_a_look = 1 << 20;

var pool: pools.Pool = .{};

pub fn answer(words: *Words, out: *std.Io.Writer) !void {
    const name = words.next() orelse return error.NoCommand;
    const command = std.meta.stringToEnum(
        enum { variants, peak, control, memory },
        name,
    ) orelse return error.UnknownCommand;
    switch (command) {
        .variants => try listVariants(words, out),
        .peak => try measurePeak(words, out),
        .control => try runControl(words, out),
        .memory => try readMemory(words, out),
    }
}

fn listVariants(words: *Words, out: *std.Io.Writer) !void {
    try end(words);
    try out.writeAll("{\"variants\":[");
    var count: usize = 0;
    for (variants.all, 0..) |variant, i| {
        if (variants.kernels(i) == null) continue;
        try out.print("{s}\"{s}\"", .{ if (count == 0) "" else ",", variant.name });
        count += 1;
    }
    try out.writeAll("]}\n");
}

const Kind = enum { int8, float };

/// What all threads of a command share.
const Job = struct {
    peak: *const Peak,
    kind: Kind = .int8,
    until: union(enum) {
        /// Nanoseconds from the start.
        time: u64,
        /// Multiply-adds of each thread.
        goal: u64,
    },
    start: u64 = undefined,
    /// What each thread reads: equal parts, one after another.
    memory: []const u8 = &.{},
    threads: usize,
    /// Multiply-adds or bytes of each thread.
    done: [thread_max]u64 = @splat(0),
    sink: std.atomic.Value(u64) = .init(0),

    fn compute(context: *anyopaque, index: usize) void {
        const self: *Job = @ptrCast(@alignCast(context));
        var result: [lanes]f32 = @splat(1);
        const work: Work = .{ .rounds = rounds_a_look, .result = &result };
        const kernel = switch (self.kind) {
            .int8 => self.peak.int8,
            .float => self.peak.float,
        };
        var count: u64 = 0;
        while (true) {
            count += kernel(&work);
            if (self.reached(count)) break;
        }
        self.done[index] = count;
        _ = self.sink.fetchXor(@as(u32, @bitCast(result[0])), .monotonic);
    }

    fn reached(self: *const Job, count: u64) bool {
        return switch (self.until) {
            .time => |nanoseconds| clock.now() - self.start >= nanoseconds,
            .goal => |goal| count >= goal,
        };
    }

    fn read(context: *anyopaque, index: usize) void {
        const self: *Job = @ptrCast(@alignCast(context));
        const size = self.memory.len / self.threads / bytes_a_look * bytes_a_look;
        const own = self.memory[index * size ..][0..size];
        var at: usize = 0;
        var count: u64 = 0;
        var sum: u64 = 0;
        while (true) : (at = (at + bytes_a_look) % size) {
            sum ^= self.peak.read(own[at..].ptr, bytes_a_look);
            count += bytes_a_look;
            if (self.reached(count)) break;
        }
        self.done[index] = count;
        _ = self.sink.fetchXor(sum, .monotonic);
    }

    fn run(self: *Job, task: pools.Task, unit: []const u8, out: *std.Io.Writer) !void {
        if (pool.grow(self.threads) < self.threads) return error.TooFewThreads;
        self.start = clock.now();
        pool.run(self.threads, task, self);
        const seconds = @as(f64, @floatFromInt(clock.now() - self.start)) / std.time.ns_per_s;
        var total: u64 = 0;
        for (self.done[0..self.threads]) |count| total += count;
        try out.print("{{\"seconds\":{d},\"{s}\":{d}}}\n", .{ seconds, unit, total });
    }
};

fn measurePeak(words: *Words, out: *std.Io.Writer) !void {
    const peak = try findPeak(words.next() orelse return error.NoVariant);
    const kind = std.meta.stringToEnum(Kind, words.next() orelse "") orelse return error.NoKind;
    const threads = try number(words, 1, thread_max);
    const time = try number(words, 1, 60_000) * std.time.ns_per_ms;
    try end(words);
    var job: Job = .{
        .peak = peak,
        .kind = kind,
        .until = .{ .time = time },
        .threads = threads,
    };
    try job.run(Job.compute, "multiply_adds", out);
}

fn runControl(words: *Words, out: *std.Io.Writer) !void {
    const threads = try number(words, 1, thread_max);
    const units = try number(words, 1, 1 << 30);
    try end(words);
    var job: Job = .{
        .peak = try bestPeak(),
        .until = .{ .goal = units << 20 },
        .threads = threads,
    };
    try job.run(Job.compute, "multiply_adds", out);
}

/// Kept between commands of one size: to fill it takes longer than to read it.
var memory: []align(std.heap.page_size_min) u8 = &.{};

fn readMemory(words: *Words, out: *std.Io.Writer) !void {
    const threads = try number(words, 1, thread_max);
    const size = try number(words, 1, 1 << 20) << 20;
    const time = try number(words, 1, 60_000) * std.time.ns_per_ms;
    try end(words);
    if (size < threads * bytes_a_look) return error.TooLittleMemory;
    if (memory.len != size) {
        const allocator = std.heap.page_allocator;
        allocator.free(memory);
        memory = &.{};
        memory = try allocator.alignedAlloc(u8, .fromByteUnits(std.heap.page_size_min), size);
        // Pages that nobody wrote are all the same one, in the cache.
        @memset(memory, 0x55);
    }
    var job: Job = .{
        .peak = try bestPeak(),
        .until = .{ .time = time },
        .memory = memory,
        .threads = threads,
    };
    try job.run(Job.read, "bytes", out);
}

fn bestPeak() !*const Peak {
    return peakAt(variants.best() orelse return error.UnsupportedCpu);
}

fn findPeak(name: []const u8) !*const Peak {
    for (variants.all, 0..) |variant, i| {
        if (std.mem.eql(u8, variant.name, name)) return peakAt(i);
    }
    return error.UnknownVariant;
}

fn peakAt(index: usize) error{UnsupportedCpu}!*const Peak {
    inline for (variants.all, 0..) |variant, i| {
        if (variant.arch == builtin.cpu.arch and i == index and variants.kernels(i) != null) {
            const name = "ggufembed_peak_" ++ variant.name;
            return @extern(*const Peak, .{ .name = name, .visibility = .hidden });
        }
    }
    return error.UnsupportedCpu;
}

/// The next word, a whole number from `least` to `most`.
fn number(words: *Words, least: usize, most: usize) !usize {
    const word = words.next() orelse return error.MissingNumber;
    const value = std.fmt.parseInt(usize, word, 10) catch return error.NotANumber;
    if (value < least or value > most) return error.OutOfRange;
    return value;
}

fn end(words: *Words) !void {
    if (words.next() != null) return error.TooManyWords;
}
