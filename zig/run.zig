//! Runs a loaded model's plan on a batch.

const std = @import("std");
const abi = @import("abi.zig");
const batches = @import("batch.zig");
const clock = @import("clock.zig");
const operations = @import("operations.zig");
const pool = @import("pool.zig");
const schedules = @import("schedule.zig");
const Engine = @import("engine.zig").Engine;

const Batch = batches.Batch;
const Span = batches.Span;

pub const Failure = operations.Failure;

const Run = struct {
    engine: *const Engine,
    batch: *const Batch,
    spans: []const Span,
    /// Null when threads share nothing.
    barrier: ?*pool.Barrier,
    failure: *Failure,

    fn task(context: *anyopaque, index: usize) void {
        const self: *Run = @ptrCast(@alignCast(context));
        const span = self.spans[index];
        const worker: operations.Worker = .{
            .engine = self.engine,
            .batch = self.batch,
            .scratch = &self.engine.scratch[index],
            .span = span,
            .failure = self.failure,
        };
        var watch: Stopwatch = .init(self.engine, self.batch, index);
        for (self.engine.operations, 0..) |op, i| {
            const code: abi.OperationCode = @enumFromInt(op.code);
            if (code == .pool and self.batch.endsAtPool()) return operations.emit(&worker, op.src);
            operations.execute(&worker, op, i);
            watch.lap(i, .work);
            const stopped = if (self.barrier) |b| b.wait(stop, context) else stop(context);
            watch.lap(i, .wait);
            if (stopped) return;
            if (i == self.batch.probe) return operations.emit(&worker, op.dst);
        }
    }

    fn stop(context: *anyopaque) bool {
        const self: *Run = @ptrCast(@alignCast(context));
        return self.failure.any();
    }
};

const Lap = enum { work, wait };
const laps = @typeInfo(Lap).@"enum".fields.len;

/// Where one thread's time went; a look at a pointer while nobody asks.
const Stopwatch = struct {
    /// `[operations][laps]`
    cells: ?[]f32,
    last: u64 = 0,

    fn init(engine: *const Engine, batch: *const Batch, index: usize) Stopwatch {
        const all = batch.profile orelse return .{ .cells = null };
        const length = engine.operations.len * laps;
        return .{ .cells = all[index * length ..][0..length], .last = clock.now() };
    }

    fn lap(self: *Stopwatch, operation: usize, kind: Lap) void {
        const cells = self.cells orelse return;
        const now = clock.now();
        cells[operation * laps + @intFromEnum(kind)] = @floatFromInt(now - self.last);
        self.last = now;
    }
};

/// Floats of a profile: nanoseconds `[threads][operations][laps]`, zero where a thread had no part.
pub fn profileLength(engine: *const Engine) usize {
    return engine.threads * engine.operations.len * laps;
}

/// Fills `batch.output` and `batch.profile`. The result's bits depend on each text alone: neither
/// on its neighbours, nor on how many threads ran, nor on how they shared the work.
pub fn run(engine: *const Engine, batch: *const Batch, failure: *Failure) void {
    if (batch.profile) |cells| @memset(cells, 0);
    var spans: [pool.thread_count_max]Span = undefined;
    const by_texts = spans[0..splitTexts(batch.texts, batch.ids.len, spans[0..engine.threads])];
    switch (engine.parallelism) {
        .texts => return runTexts(engine, batch, by_texts, failure),
        .matmul => return runTogether(engine, batch, engine.threads, failure),
        .auto => {},
    }
    const shape: schedules.Shape = .{
        .tokens = batch.ids.len,
        .largest_span = largest(by_texts),
        .threads = engine.threads,
        .macs_per_token = engine.macs_per_token,
        .operations = engine.operations.len,
    };
    const choice = engine.schedule.choose(shape);
    const start = clock.now();
    if (choice.by_texts) {
        runTexts(engine, batch, by_texts, failure);
    } else {
        runTogether(engine, batch, choice.threads, failure);
    }
    if (!failure.any()) engine.schedule.observe(shape, choice, clock.now() - start);
}

fn runTexts(engine: *const Engine, batch: *const Batch, spans: []Span, failure: *Failure) void {
    var job: Run = .{
        .engine = engine,
        .batch = batch,
        .spans = spans,
        .barrier = null,
        .failure = failure,
    };
    engine.pool.run(spans.len, Run.task, &job);
}

/// All threads share each operation.
fn runTogether(
    engine: *const Engine,
    batch: *const Batch,
    threads: usize,
    failure: *Failure,
) void {
    var spans: [pool.thread_count_max]Span = undefined;
    for (spans[0..threads], 0..) |*span, i| span.* = .{
        .text_begin = 0,
        .text_end = batch.texts.len,
        .token_begin = 0,
        .token_end = batch.ids.len,
        .part = i,
        .parts = threads,
    };
    var barrier: pool.Barrier = .{ .count = @intCast(threads) };
    var job: Run = .{
        .engine = engine,
        .batch = batch,
        .spans = spans[0..threads],
        .barrier = &barrier,
        .failure = failure,
    };
    engine.pool.run(threads, Run.task, &job);
}

fn largest(spans: []const Span) usize {
    var most: usize = 0;
    for (spans) |span| most = @max(most, span.tokens());
    return most;
}

/// Contiguous texts with about equally many of the `total` tokens; gives the number of spans, none
/// of them empty.
pub fn splitTexts(texts: []const batches.Text, total: usize, spans: []Span) usize {
    var count: usize = 0;
    var text: usize = 0;
    while (count < spans.len and text < texts.len) : (count += 1) {
        const begin = text;
        const goal = total * (count + 1) / spans.len;
        const last = count + 1 == spans.len;
        while (text < texts.len) {
            const middle = texts[text].token_begin + texts[text].length / 2;
            if (!last and text > begin and middle >= goal) break;
            text += 1;
        }
        spans[count] = .{
            .text_begin = begin,
            .text_end = text,
            .token_begin = texts[begin].token_begin,
            .token_end = if (text == texts.len) total else texts[text].token_begin,
            .part = 0,
            .parts = 1,
        };
    }
    return count;
}
