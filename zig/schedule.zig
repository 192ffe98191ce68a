//! How a batch is shared among threads when the caller leaves it open: by the batch's shape, and by
//! what batches of such a shape have taken. No choice changes a bit of the result.

const std = @import("std");
const assert = std.debug.assert;

/// What decides how long a batch takes.
pub const Shape = struct {
    tokens: usize,
    /// Most tokens that one of `threads` threads gets when they take whole texts.
    largest_span: usize,
    /// Threads that may be used.
    threads: usize,
    /// Multiply-adds for one token, which is also about the bytes of the weights.
    macs_per_token: u64,
    /// Operations, after each of which threads that share them meet.
    operations: usize,
};

pub const Choice = struct {
    threads: usize,
    /// Threads take whole texts, and wait for nobody.
    by_texts: bool,

    /// Nanoseconds on a machine of round figures; only ratios of these are used once something has
    /// been measured.
    fn expected(self: Choice, shape: Shape) f64 {
        const tokens: f64 = @floatFromInt(shape.tokens);
        const macs: f64 = @floatFromInt(shape.macs_per_token);
        const threads: f64 = @floatFromInt(self.threads);
        const readers = if (self.by_texts) threads else 1;
        const reading = macs * readers / bytes_per_ns;
        const span = if (self.by_texts and self.threads > 1)
            @as(f64, @floatFromInt(shape.largest_span))
        else
            tokens / threads;
        const meetings: f64 = @floatFromInt(shape.operations);
        const meeting = if (self.by_texts) 0 else meeting_ns * @log2(threads) * meetings;
        return @max(reading, span * macs / macs_per_ns) + meeting;
    }
};

const bytes_per_ns = 30;
const macs_per_ns = 250;
const meeting_ns = 2000;

/// A choice counts as known after so many batches: the first pays for memory that nobody touched.
const trials = 3;
/// What is expected to take at most this much longer than the best known is worth trying.
const worth_trying = 1.2;
/// By how much an estimate grows with each batch, so that what was once fast must stay so, and by
/// how much those of the other choices shrink, so that what was once slow is tried again.
const forgetting = 1.02;
const hope = 0.998;

/// Alone; whole texts; together on 2, 4, 8 … threads and on all.
const choices_max = 11;
const size_classes = 24;
const balance_classes = 3;

const Known = struct {
    batches: u32 = 0,
    /// Nanoseconds a token, about the least seen.
    estimate: f64 = 0,
};

pub const Schedule = struct {
    known: [size_classes][balance_classes][choices_max]Known =
        @splat(@splat(@splat(.{}))),

    pub fn choose(self: *const Schedule, shape: Shape) Choice {
        assert(shape.tokens > 0 and shape.threads > 0 and shape.largest_span <= shape.tokens);
        const known = self.at(shape);
        const scale = measuredOverExpected(known, shape);
        var best = std.math.inf(f64);
        for (0..choices_max) |i| {
            const choice = choiceAt(i, shape.threads) orelse continue;
            best = @min(best, estimate(known[i], choice, shape, scale));
        }
        var result: usize = 0;
        var least = std.math.inf(f64);
        for (0..choices_max) |i| {
            const choice = choiceAt(i, shape.threads) orelse continue;
            const nanoseconds = estimate(known[i], choice, shape, scale);
            // Something has been measured, and this not well enough to rule it out. What was begun
            // is finished first: the first batch says too little.
            const tried = known[i].batches;
            const curious = scale != null and tried < trials and
                nanoseconds <= best * worth_trying;
            const rank = if (curious) -1 - @as(f64, @floatFromInt(tried)) else nanoseconds;
            if (rank < least) {
                least = rank;
                result = i;
            }
        }
        return choiceAt(result, shape.threads).?;
    }

    pub fn observe(self: *Schedule, shape: Shape, choice: Choice, nanoseconds: u64) void {
        const tokens: f64 = @floatFromInt(shape.tokens);
        const taken = @as(f64, @floatFromInt(nanoseconds)) / tokens;
        for (self.at(shape), 0..) |*cell, i| {
            const other = choiceAt(i, shape.threads) orelse continue;
            if (!std.meta.eql(other, choice)) {
                cell.estimate *= hope;
                continue;
            }
            const grown = cell.estimate * forgetting;
            cell.estimate = if (cell.batches == 0) taken else @min(taken, grown);
            cell.batches +|= 1;
        }
    }

    fn at(self: anytype, shape: Shape) switch (@TypeOf(self)) {
        *Schedule => *[choices_max]Known,
        else => *const [choices_max]Known,
    } {
        const size = @min(std.math.log2_int(usize, shape.tokens), size_classes - 1);
        // Tokens of the largest span, in eighths of an equal share.
        const eighths = shape.largest_span * shape.threads * 8 / shape.tokens;
        const balance: usize = if (eighths <= 9) 0 else if (eighths <= 12) 1 else 2;
        return &self.known[size][balance];
    }
};

fn choiceAt(index: usize, threads: usize) ?Choice {
    if (index == 0) return .{ .threads = 1, .by_texts = false };
    if (threads == 1) return null;
    if (index == 1) return .{ .threads = threads, .by_texts = true };
    const before = @as(usize, 1) << @intCast(index - 2);
    if (before >= threads) return null;
    return .{ .threads = @min(2 * before, threads), .by_texts = false };
}

/// How much longer than expected the batches took whose choice is best known; null before the
/// first.
fn measuredOverExpected(known: *const [choices_max]Known, shape: Shape) ?f64 {
    var most: u32 = 0;
    var result: ?f64 = null;
    for (known, 0..) |cell, i| {
        const choice = choiceAt(i, shape.threads) orelse continue;
        if (cell.batches <= most) continue;
        most = cell.batches;
        const tokens: f64 = @floatFromInt(shape.tokens);
        result = cell.estimate * tokens / choice.expected(shape);
    }
    return result;
}

fn estimate(known: Known, choice: Choice, shape: Shape, scale: ?f64) f64 {
    const tokens: f64 = @floatFromInt(shape.tokens);
    if (known.batches > 0) return known.estimate * tokens;
    return choice.expected(shape) * (scale orelse 1);
}

/// EmbeddingGemma's.
const gemma: Shape = .{
    .tokens = 1,
    .largest_span = 1,
    .threads = 2,
    .macs_per_token = 106_000_000,
    .operations = 289,
};

fn shapeOf(tokens: usize, largest_span: usize, threads: usize) Shape {
    var shape = gemma;
    shape.tokens = tokens;
    shape.largest_span = largest_span;
    shape.threads = threads;
    return shape;
}

test "before anything is measured: the table of batches and threads" {
    const schedule: Schedule = .{};
    const Row = struct { usize, usize, usize, usize, bool };
    const table = [_]Row{
        // tokens, of the largest span, threads → threads, by texts
        .{ 11, 11, 1, 1, false },
        .{ 11, 11, 2, 2, false },
        .{ 22, 11, 2, 2, false },
        .{ 704, 352, 2, 2, true },
        .{ 512, 512, 2, 2, false },
        .{ 4096, 2048, 2, 2, true },
        .{ 600, 500, 2, 2, false },
        .{ 11, 11, 16, 2, false },
        .{ 100, 100, 16, 16, false },
        .{ 2048, 128, 16, 16, true },
        .{ 2048, 512, 16, 16, false },
    };
    for (table) |row| {
        const found = schedule.choose(shapeOf(row[0], row[1], row[2]));
        try std.testing.expectEqual(Choice{ .threads = row[3], .by_texts = row[4] }, found);
    }
}

test "the cost of the first batch rules nothing out" {
    var schedule: Schedule = .{};
    const shape = shapeOf(11, 11, 2);
    for (0..20) |i| {
        const choice = schedule.choose(shape);
        const warm: u64 = if (choice.threads == 1) 9_000_000 else 6_000_000;
        schedule.observe(shape, choice, if (i == 0) 30_000_000 else warm);
    }
    try std.testing.expectEqual(Choice{ .threads = 2, .by_texts = false }, schedule.choose(shape));
}

test "what is measured decides, and may change" {
    var schedule: Schedule = .{};
    const shape = shapeOf(704, 352, 2);
    const Machine = struct {
        /// Sharing each operation is the best way at first, and later the worst.
        fn take(choice: Choice, later: bool) u64 {
            if (choice.threads == 1) return 300_000;
            if (choice.by_texts) return 200_000;
            return if (later) 400_000 else 180_000;
        }
    };
    for (0..20) |_| {
        const choice = schedule.choose(shape);
        schedule.observe(shape, choice, Machine.take(choice, false));
    }
    try std.testing.expectEqual(Choice{ .threads = 2, .by_texts = false }, schedule.choose(shape));
    for (0..20) |_| {
        const choice = schedule.choose(shape);
        schedule.observe(shape, choice, Machine.take(choice, true));
    }
    try std.testing.expectEqual(Choice{ .threads = 2, .by_texts = true }, schedule.choose(shape));
    // Another size knows nothing of it.
    try std.testing.expectEqual(
        Choice{ .threads = 2, .by_texts = false },
        schedule.choose(shapeOf(11, 11, 2)),
    );
}
