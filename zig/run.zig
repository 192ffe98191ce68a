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
        var watch: Stopwatch = .init(self.engine, self.batch, index);
        const all = self.engine.operations.len;
        const ends = if (self.barrier == null) self.engine.sections.ends else &.{all};
        var begin: usize = 0;
        for (ends) |next| {
            var emitted = false;
            var passes: Passes = .init(self, index, self.engine.operations[begin]);
            while (passes.next()) |span| {
                const worker: operations.Worker = .{
                    .engine = self.engine,
                    .batch = self.batch,
                    .scratch = &self.engine.workspace.scratch[index],
                    .span = span,
                    .skipped = passes.skipped(span),
                    .failure = self.failure,
                };
                const end = self.section(&worker, begin, next, &watch);
                if (end == .stopped) return;
                emitted = end == .emitted;
            }
            if (emitted) return;
            begin = next;
        }
    }

    const End = enum { reached, emitted, stopped };

    /// Operations `begin … end` on a worker's span.
    fn section(
        self: *Run,
        worker: *const operations.Worker,
        begin: usize,
        end: usize,
        watch: *Stopwatch,
    ) End {
        for (self.engine.operations[begin..end], begin..) |op, i| {
            const code: abi.OperationCode = @enumFromInt(op.code);
            if (code == .pool and self.batch.endsAtPool()) {
                operations.emit(worker, op.src);
                return .emitted;
            }
            operations.execute(worker, op, i);
            watch.lap(i, .work);
            const stopped = if (self.barrier) |barrier|
                barrier.wait(worker.span.part, stop, self)
            else
                stop(self);
            watch.lap(i, .wait);
            if (stopped) return .stopped;
            if (i == self.batch.probe) {
                operations.emit(worker, op.dst);
                return .emitted;
            }
        }
        return .reached;
    }

    fn stop(context: *anyopaque) bool {
        const self: *Run = @ptrCast(@alignCast(context));
        return self.failure.any();
    }
};

/// Tokens of a pass: what a layer keeps of them fits the second-level cache.
const pass_tokens = 96;

/// A thread that waits for nobody takes its texts in passes of a few tokens, section by section of
/// the plan. Threads that share the work, and what follows pooling, take them as a whole.
const Passes = struct {
    texts: []const batches.Text,
    whole: Span,
    divided: bool,
    text: usize,

    fn init(job: *const Run, index: usize, operation: abi.Operation) Passes {
        const buffers = job.engine.workspace.buffers;
        const pooled = operation.code == @intFromEnum(abi.OperationCode.pool) or
            (operation.src != abi.none and buffers[operation.src].kind == .texts);
        return .{
            .texts = job.batch.texts,
            .whole = job.spans[index],
            .divided = job.barrier == null and !pooled,
            .text = job.spans[index].text_begin,
        };
    }

    /// All passes have the rows of the first.
    fn skipped(self: *const Passes, span: Span) batches.Rows {
        const first = self.texts[self.whole.text_begin];
        return .{
            .tokens = span.token_begin - first.token_begin,
            .groups = self.texts[span.text_begin].group_begin - first.group_begin,
        };
    }

    fn next(self: *Passes) ?Span {
        const texts = self.texts;
        const begin = self.text;
        if (begin == self.whole.text_end) return null;
        if (!self.divided) {
            self.text = self.whole.text_end;
            return self.whole;
        }
        const first = texts[begin].token_begin;
        var end = texts[begin].token_begin + texts[begin].length;
        self.text += 1;
        while (self.text < self.whole.text_end) : (self.text += 1) {
            const text = texts[self.text];
            if (text.token_begin + text.length - first > pass_tokens) break;
            end = text.token_begin + text.length;
        }
        return .{
            .text_begin = begin,
            .text_end = self.text,
            .token_begin = first,
            .token_end = end,
            .part = 0,
            .parts = 1,
        };
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
        cells[operation * laps + @intFromEnum(kind)] += @floatFromInt(now - self.last);
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
    switch (engine.parallelism) {
        .texts => return runTexts(engine, batch, engine.threads, failure),
        .matmul => return runTogether(engine, batch, engine.threads, failure),
        .auto => {},
    }
    const shape: schedules.Shape = .{
        .tokens = batch.ids.len,
        .largest_span = largestSpan(batch, engine.threads),
        .threads = engine.threads,
        .macs_per_token = engine.macs_per_token,
        .operations = engine.operations.len,
    };
    const choice = engine.schedule.choose(shape);
    const start = clock.now();
    if (choice.by_texts or choice.threads == 1) {
        runTexts(engine, batch, choice.threads, failure);
    } else {
        runTogether(engine, batch, choice.threads, failure);
    }
    if (!failure.any()) engine.schedule.observe(shape, choice, clock.now() - start);
}

/// Each thread takes whole texts.
fn runTexts(engine: *const Engine, batch: *const Batch, threads: usize, failure: *Failure) void {
    var spans: [pool.thread_count_max]Span = undefined;
    const count = splitTexts(batch.texts, batch.ids.len, spans[0..threads]);
    var job: Run = .{
        .engine = engine,
        .batch = batch,
        .spans = spans[0..count],
        .barrier = null,
        .failure = failure,
    };
    engine.pool.run(count, Run.task, &job);
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
    var barrier: pool.Barrier = .{ .count = @intCast(threads), .places = &engine.pool.places };
    var job: Run = .{
        .engine = engine,
        .batch = batch,
        .spans = spans[0..threads],
        .barrier = &barrier,
        .failure = failure,
    };
    engine.pool.run(threads, Run.task, &job);
}

/// Most tokens of a thread when `threads` take whole texts.
fn largestSpan(batch: *const Batch, threads: usize) usize {
    var spans: [pool.thread_count_max]Span = undefined;
    var most: usize = 0;
    for (spans[0..splitTexts(batch.texts, batch.ids.len, spans[0..threads])]) |span| {
        most = @max(most, span.tokens());
    }
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
