//! Each operation of a plan: which rows are this thread's, and the kernel that does them.

const std = @import("std");
const abi = @import("abi.zig");
const batches = @import("batch.zig");
const Engine = @import("engine.zig").Engine;
const interface = @import("kernels/interface.zig");
const products = @import("products.zig");
const workspace = @import("workspace.zig");

const Range = batches.Range;
const lanes = interface.lanes;

/// Query tiles that attention takes at a time, so that cancelling never waits for a long text.
const attention_tiles = 16;

/// What went wrong first, seen by all threads.
pub const Failure = struct {
    kind: std.atomic.Value(u32) = .init(@intFromEnum(abi.Status.ok)),
    part: u32 = abi.none,
    row: u64 = 0,

    pub fn set(self: *Failure, why: abi.Status, part: u32, row: u64) void {
        const ok = @intFromEnum(abi.Status.ok);
        const busy = @intFromEnum(abi.Status.running);
        if (self.kind.cmpxchgStrong(ok, busy, .acquire, .monotonic) != null) return;
        self.part = part;
        self.row = row;
        self.kind.store(@intFromEnum(why), .release);
    }

    pub fn any(self: *const Failure) bool {
        return self.kind.load(.acquire) != @intFromEnum(abi.Status.ok);
    }

    pub fn status(self: *const Failure) abi.Status {
        return @enumFromInt(self.kind.load(.acquire));
    }
};

/// One thread in one run.
pub const Worker = struct {
    engine: *const Engine,
    batch: *const batches.Batch,
    scratch: *const workspace.Scratch,
    span: batches.Span,
    /// Rows of the span lie so much further up in buffers that a section keeps to itself.
    skipped: batches.Rows = .{},
    failure: *Failure,

    pub fn buffer(self: *const Worker, index: u32) workspace.Buffer {
        var result = self.engine.workspace.buffers[index];
        if (!self.engine.sections.carried.isSet(index)) result.skipped = switch (result.kind) {
            .tokens => self.skipped.tokens,
            .keys => self.skipped.groups * lanes,
            .texts => 0,
        };
        return result;
    }

    pub fn vector(self: *const Worker, index: u32) ?[*]const f32 {
        if (index == abi.none) return null;
        return self.engine.model.weights[index].content.vector.ptr;
    }
};

pub fn execute(worker: *const Worker, op: abi.Operation, index: usize) void {
    if (worker.batch.cancelled()) return worker.failure.set(.cancelled, abi.none, 0);
    switch (@as(abi.OperationCode, @enumFromInt(op.code))) {
        .embed, .add_position, .add_row, .add_type => lookUp(worker, op),
        .rms_norm => rmsNorm(worker, op),
        .layer_norm => layerNorm(worker, op),
        .matmul => products.matmul(worker, op, index),
        .activated_matmul => products.activatedMatmul(worker, op, index),
        .quantize => quantize(worker, op),
        .prepare_heads => prepareHeads(worker, op, index),
        .attention => attention(worker, op),
        .activation => activation(worker, op),
        .pool => pooling(worker, op),
        .output => emit(worker, op.src),
    }
}

fn lookUp(worker: *const Worker, op: abi.Operation) void {
    const code: abi.OperationCode = @enumFromInt(op.code);
    const dst = worker.buffer(op.dst);
    const weight = worker.engine.model.weights[op.weight];
    const table = weight.content.table;
    const own = worker.span.rows(.tokens);
    var text = worker.span.text_begin;
    for (own.begin..own.end) |token| {
        const texts = worker.batch.texts;
        while (token >= texts[text].token_begin + texts[text].length) text += 1;
        const row: u64 = switch (code) {
            .embed => idOf(worker, token) % worker.engine.spec.vocab_size,
            .add_position => op.value + (token - texts[text].token_begin),
            .add_type => idOf(worker, token) / worker.engine.spec.vocab_size,
            else => op.value,
        };
        const at = row * table.row_bytes;
        const bytes = if (table.resident) |all| all[@intCast(at)..].ptr else blk: {
            const into = worker.scratch.table_row[0..table.row_bytes];
            worker.engine.model.files.items[table.file].read(into, table.offset + at) catch
                return worker.failure.set(.file_changed, weight.part_begin, row);
            break :blk into.ptr;
        };
        const finite = worker.engine.model.kernels.look_up(&.{
            .row = bytes,
            .format = table.format,
            .dst = dst.at(token),
            .width = dst.width,
            .scale = if (code == .embed) @floatCast(op.number) else 1,
            .add = code != .embed,
        });
        if (!finite) return worker.failure.set(.not_finite, weight.part_begin, row);
    }
}

/// With the token's type in it, as `abi.LoadSpec.type_count` tells.
fn idOf(worker: *const Worker, token: usize) u32 {
    return @intCast(worker.batch.ids[token]);
}

fn rmsNorm(worker: *const Worker, op: abi.Operation) void {
    const src = worker.buffer(op.src);
    const own = worker.span.rows(src.kind);
    worker.engine.model.kernels.rms_norm(&.{
        .src = src.at(own.begin),
        .weight = worker.vector(op.weight).?,
        .residual = if (op.residual == abi.none) null else worker.buffer(op.residual).at(own.begin),
        .sink = worker.buffer(op.dst).sink(own.begin, worker.scratch.rows.ptr),
        .next_weight = worker.vector(op.second),
        .next_sink = if (op.keys == abi.none)
            undefined
        else
            worker.buffer(op.keys).sink(own.begin, worker.scratch.rows.ptr),
        .rows = own.len(),
        .width = src.width,
        .eps = @floatCast(op.number),
    });
}

fn layerNorm(worker: *const Worker, op: abi.Operation) void {
    const src = worker.buffer(op.src);
    const own = worker.span.rows(src.kind);
    worker.engine.model.kernels.layer_norm(&.{
        .src = src.at(own.begin),
        .weight = worker.vector(op.weight).?,
        .bias = worker.vector(op.second).?,
        .sink = worker.buffer(op.dst).sink(own.begin, worker.scratch.rows.ptr),
        .rows = own.len(),
        .width = src.width,
        .eps = @floatCast(op.number),
    });
}

fn quantize(worker: *const Worker, op: abi.Operation) void {
    const buffer = worker.buffer(op.dst);
    const own = worker.span.rows(buffer.kind);
    worker.engine.model.kernels.quantize(&.{
        .src = buffer.at(own.begin),
        .dst = buffer.quantizedAt(own.begin),
        .rows = own.len(),
        .width = buffer.width,
    });
}

fn activation(worker: *const Worker, op: abi.Operation) void {
    const src = worker.buffer(op.src);
    const dst = worker.buffer(op.dst);
    const own = worker.span.rows(src.kind);
    worker.engine.model.kernels.activation(&.{
        .src = src.at(own.begin),
        .stride = src.width,
        .up = dst.width,
        .sink = dst.sink(own.begin, worker.scratch.rows.ptr),
        .rows = own.len(),
        .columns = dst.width,
        .column = 0,
        .width = dst.width,
        .kind = @enumFromInt(op.kind),
        .gated = op.flag != 0,
    });
}

fn prepareHeads(worker: *const Worker, op: abi.Operation, index: usize) void {
    const src = worker.buffer(op.src);
    const keys = worker.buffer(op.keys);
    const rope = worker.engine.ropes[index];
    var units: Units = .init(worker, lanes);
    while (units.next()) |unit| {
        worker.engine.model.kernels.prepare_heads(&.{
            .src = src.at(unit.text.token_begin),
            .stride = src.width,
            .keys = keys.at(unit.text.group_begin * lanes),
            .query_norm = worker.vector(op.weight),
            .key_norm = worker.vector(op.second),
            .rope = if (rope) |table| table.rows.ptr else null,
            .eps = @floatCast(op.number),
            .key_scale = @floatCast(op.query_scale),
            .head_count = op.head_count,
            .head_count_kv = op.head_count_kv,
            .head_size = op.head_size,
            .length = unit.text.length,
            .group_begin = unit.begin,
            .group_end = unit.end,
        });
    }
}

fn attention(worker: *const Worker, op: abi.Operation) void {
    const src = worker.buffer(op.src);
    const keys = worker.buffer(op.keys);
    const dst = worker.buffer(op.dst);
    var units: Units = .init(worker, interface.query_tile);
    while (units.next()) |unit| {
        var tile = unit.begin;
        while (tile < unit.end) : (tile += attention_tiles) {
            if (worker.batch.cancelled()) return worker.failure.set(.cancelled, abi.none, 0);
            const end = @min(tile + attention_tiles, unit.end) * interface.query_tile;
            worker.engine.model.kernels.attention(&.{
                .src = src.at(unit.text.token_begin),
                .stride = src.width,
                .keys = keys.at(unit.text.group_begin * lanes),
                .sink = dst.sink(unit.text.token_begin, worker.scratch.rows.ptr),
                .scores = worker.scratch.scores.ptr,
                .head_count = op.head_count,
                .head_count_kv = op.head_count_kv,
                .head_size = op.head_size,
                .length = unit.text.length,
                .query_begin = tile * interface.query_tile,
                .query_end = @min(end, unit.text.length),
                .reach = op.value,
                .causal = op.flag != 0,
            });
        }
    }
}

fn pooling(worker: *const Worker, op: abi.Operation) void {
    const src = worker.buffer(op.src);
    const dst = worker.buffer(op.dst);
    const own = worker.span.rows(.texts);
    for (own.begin..own.end) |i| {
        const text = worker.batch.texts[i];
        const kind: abi.Pooling = @enumFromInt(op.kind);
        const first = switch (kind) {
            .mean, .cls => text.token_begin,
            .last => text.token_begin + text.length - 1,
            .none => unreachable, // plan.check
        };
        worker.engine.model.kernels.mean(&.{
            .src = src.at(first),
            .dst = dst.at(i),
            .rows = if (kind == .mean) text.length else 1,
            .width = src.width,
        });
        if (dst.quantized != null) worker.engine.model.kernels.quantize(&.{
            .src = dst.at(i),
            .dst = dst.quantizedAt(i),
            .rows = 1,
            .width = dst.width,
        });
    }
}

/// The last step: this thread's rows of `source` into the batch's output.
pub fn emit(worker: *const Worker, source: u32) void {
    const src = worker.buffer(source);
    const own = worker.span.rows(src.kind);
    const dimensions = worker.batch.dimensions;
    const finite = worker.engine.model.kernels.emit(&.{
        .src = src.at(own.begin),
        .src_stride = src.width,
        .dst = worker.batch.output.ptr + own.begin * dimensions,
        .rows = own.len(),
        .dimensions = dimensions,
        .normalize = worker.batch.normalize,
    });
    if (!finite) worker.failure.set(.not_finite, abi.none, 0);
}

/// This thread's share of all units of `size` tokens, counted from each text's start; unit by unit
/// of texts.
const Units = struct {
    worker: *const Worker,
    size: usize,
    text: usize,
    /// Units before `text`.
    before: usize,
    own: Range,

    const Unit = struct {
        text: batches.Text,
        begin: usize,
        end: usize,
    };

    fn init(worker: *const Worker, size: usize) Units {
        const span = worker.span;
        var count: usize = 0;
        for (worker.batch.texts[span.text_begin..span.text_end]) |text| {
            count += (text.length + size - 1) / size;
        }
        return .{
            .worker = worker,
            .size = size,
            .text = span.text_begin,
            .before = 0,
            .own = span.share(count),
        };
    }

    fn next(self: *Units) ?Unit {
        while (self.text < self.worker.span.text_end) {
            const text = self.worker.batch.texts[self.text];
            const count = (text.length + self.size - 1) / self.size;
            const begin = @max(self.own.begin, self.before);
            const end = @min(self.own.end, self.before + count);
            defer {
                self.before += count;
                self.text += 1;
            }
            if (begin < end) {
                return .{ .text = text, .begin = begin - self.before, .end = end - self.before };
            }
        }
        return null;
    }
};
