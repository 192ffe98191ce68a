//! A persistent fork-join pool. Threads spin briefly, then sleep on a futex: hundreds of barriers a
//! forward pass must each cost about a microsecond, and an idle pool must cost nothing.

const std = @import("std");
const assert = std.debug.assert;
const cpu = @import("cpu.zig");
const Io = std.Io;

pub const thread_count_max = 256;

const Places = @import("placement.zig").Placement(thread_count_max);

/// Pauses before a waiting thread sleeps: some tens of microseconds, at 40 to 140 cycles each.
const spin_max = 1000;

/// The futexes of std.Io need no state of their own.
fn io() Io {
    return Io.Threaded.global_single_threaded.io();
}

/// Waits until `word` differs from `value`; whether it slept.
fn waitWhile(word: *std.atomic.Value(u32), value: u32) bool {
    for (0..spin_max) |_| {
        if (word.load(.acquire) != value) return false;
        std.atomic.spinLoopHint();
    }
    while (word.load(.acquire) == value) io().futexWaitUncancelable(u32, &word.raw, value);
    return true;
}

/// Where all threads of a job meet between operations, and agree whether to go on.
pub const Barrier = struct {
    arrived: std.atomic.Value(u32) = .init(0),
    round: std.atomic.Value(u32) = .init(0),
    count: u32,
    verdict: bool = false,
    places: *Places,

    /// Thread `index` waits for all threads, which get one answer: `stop` as the last to arrive saw
    /// it. (Each looking for itself could see a flag that a faster thread set after the barrier.)
    pub fn wait(
        self: *Barrier,
        index: usize,
        stop: *const fn (*anyopaque) bool,
        context: *anyopaque,
    ) bool {
        if (self.count == 1) return stop(context);
        const round = self.round.load(.acquire);
        if (self.arrived.fetchAdd(1, .acq_rel) + 1 == self.count) {
            self.verdict = stop(context);
            self.arrived.store(0, .monotonic);
            self.round.store(round +% 1, .release);
            io().futexWake(u32, &self.round.raw, std.math.maxInt(u32));
        } else if (waitWhile(&self.round, round)) {
            self.places.settle(index, self.count);
        }
        return self.verdict;
    }
};

pub const Task = *const fn (context: *anyopaque, index: usize) void;

pub const Pool = struct {
    threads: [thread_count_max]std.Thread = undefined,
    /// Threads spawned; the caller of `run` is one more.
    spawned: usize = 0,
    epoch: std.atomic.Value(u32) = .init(0),
    /// Spawned threads still at work.
    busy: std.atomic.Value(u32) = .init(0),
    stopping: bool = false,
    task: Task = undefined,
    context: *anyopaque = undefined,
    count: usize = 0,
    places: Places = .{},

    /// Has at least `count` threads, the caller included, or as many as the system gives.
    pub fn grow(self: *Pool, count: usize) usize {
        assert(count >= 1);
        const wanted = @min(count, thread_count_max);
        while (self.spawned + 1 < wanted) {
            const start = self.epoch.load(.monotonic);
            const args = .{ self, self.spawned + 1, start };
            self.threads[self.spawned] = std.Thread.spawn(.{}, loop, args) catch break;
            self.spawned += 1;
        }
        return @min(wanted, self.spawned + 1);
    }

    /// Runs `task(context, i)` for i in 0..count, one thread each; returns when all are done.
    /// `count` is at most what `grow` gave. One caller at a time.
    pub fn run(self: *Pool, count: usize, task: Task, context: *anyopaque) void {
        assert(count >= 1 and count <= self.spawned + 1);
        if (count > 1) {
            self.task = task;
            self.context = context;
            self.count = count;
            self.places.settle(0, count);
            self.busy.store(@intCast(self.spawned), .release);
            _ = self.epoch.fetchAdd(1, .release);
            io().futexWake(u32, &self.epoch.raw, std.math.maxInt(u32));
        }
        task(context, 0);
        if (count > 1) {
            while (true) {
                const busy = self.busy.load(.acquire);
                if (busy == 0) break;
                _ = waitWhile(&self.busy, busy);
            }
            self.places.leave(0);
        }
    }

    /// For tests: joins all threads.
    pub fn deinit(self: *Pool) void {
        self.stopping = true;
        _ = self.epoch.fetchAdd(1, .release);
        io().futexWake(u32, &self.epoch.raw, std.math.maxInt(u32));
        for (self.threads[0..self.spawned]) |thread| thread.join();
        self.spawned = 0;
    }

    fn loop(self: *Pool, index: usize, start: u32) void {
        begin();
        var seen = start;
        while (true) {
            _ = waitWhile(&self.epoch, seen);
            seen +%= 1;
            if (self.stopping) return;
            if (index < self.count) {
                self.places.settle(index, self.count);
                self.task(self.context, index);
                self.places.leave(index);
            }
            if (self.busy.fetchSub(1, .acq_rel) == 1) {
                io().futexWake(u32, &self.busy.raw, 1);
            }
        }
    }
};

/// What a thread of ours does first. Signals belong to the host's own threads, and so does whatever
/// it did to its float state.
pub fn begin() void {
    cpu.resetFloatState();
    var all = std.posix.sigfillset();
    var old: std.posix.sigset_t = undefined;
    _ = std.c.pthread_sigmask(std.posix.SIG.SETMASK, &all, &old);
}

test "run gives every index to exactly one thread, again and again" {
    var pool: Pool = .{};
    defer pool.deinit();
    const count = pool.grow(4);
    const Context = struct {
        hits: [4]std.atomic.Value(u32) = @splat(.init(0)),

        fn task(context: *anyopaque, index: usize) void {
            const self: *@This() = @ptrCast(@alignCast(context));
            _ = self.hits[index].fetchAdd(1, .monotonic);
        }
    };
    var context: Context = .{};
    for (0..1000) |_| pool.run(count, Context.task, &context);
    for (context.hits[0..count]) |hit| try std.testing.expectEqual(1000, hit.load(.monotonic));
}

test "threads compute with denormals, whatever their creator does" {
    const Context = struct {
        /// The smallest normal float32.
        least: f32 = 1.17549435e-38,
        halves: [2]f32 = @splat(0),

        fn task(context: *anyopaque, index: usize) void {
            const self: *@This() = @ptrCast(@alignCast(context));
            const least: *volatile f32 = &self.least;
            self.halves[index] = least.* * 0.5;
        }
    };
    var pool: Pool = .{};
    defer pool.deinit();
    var context: Context = .{};
    cpu.flushDenormals();
    const count = pool.grow(2);
    pool.run(count, Context.task, &context);
    cpu.resetFloatState();
    try std.testing.expectEqual(2, count);
    try std.testing.expectEqual(0, context.halves[0]);
    try std.testing.expect(context.halves[1] > 0);
}

test "a barrier keeps threads in step" {
    var pool: Pool = .{};
    defer pool.deinit();
    const rounds = 500;
    const Context = struct {
        barrier: Barrier,
        sums: [rounds]std.atomic.Value(u32) = @splat(.init(0)),
        out_of_step: std.atomic.Value(u32) = .init(0),

        fn never(_: *anyopaque) bool {
            return false;
        }

        fn task(context: *anyopaque, index: usize) void {
            const self: *@This() = @ptrCast(@alignCast(context));
            for (0..rounds) |round| {
                _ = self.sums[round].fetchAdd(1, .monotonic);
                _ = self.barrier.wait(index, never, context);
                const seen = self.sums[round].load(.monotonic);
                if (seen != self.barrier.count) _ = self.out_of_step.fetchAdd(1, .monotonic);
            }
        }
    };
    const count = pool.grow(3);
    var context: Context = .{ .barrier = .{ .count = @intCast(count), .places = &pool.places } };
    pool.run(count, Context.task, &context);
    try std.testing.expectEqual(0, context.out_of_step.load(.monotonic));
}
