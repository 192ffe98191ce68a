//! Matrix products. Threads that share one divide the rows of the matrix, so that each weight is
//! read once.

const std = @import("std");
const abi = @import("abi.zig");
const batches = @import("batch.zig");
const interface = @import("kernels/interface.zig");
const Weight = @import("weights.zig").Weight;
const Worker = @import("operations.zig").Worker;
const workspace = @import("workspace.zig");

const Range = batches.Range;
const lanes = interface.lanes;

/// Tokens that a product takes at a time: their activations stay in the second-level cache, and
/// cancelling never waits for long.
const tokens_together = 256;

/// `dst[:, value …] = W src (+ bias) (+ residual)`
pub fn matmul(worker: *const Worker, op: abi.Operation, index: usize) void {
    const product: Product = .init(worker, op);
    const dst = worker.buffer(op.dst);
    const groups = product.share(worker.span);
    const after = nextWeights(worker, index + 1);
    var tokens = Together.init(worker, product.src);
    while (tokens.next()) |own| {
        const residual: ?[*]const f32 = if (op.residual == abi.none)
            null
        else
            worker.buffer(op.residual).at(own.begin) + op.value;
        product.run(own, groups, if (tokens.more()) product.values(groups) else after, .{
            .dst = dst.at(own.begin) + op.value,
            .stride = dst.width,
            .row_begin = 0,
            .bias = worker.vector(op.second),
            .residual = residual,
            .rows = product.weight.rows,
        });
    }
}

/// Rows of a matrix whose products are activated together; when gated, half of them are gates.
const rows_together = 192;
/// Floats of `Scratch.products`.
pub const scratch_length = tokens_together * rows_together;

/// `dst = f(W src (+ bias))`, or `f(gate) · up`, a few columns at a time: a product is activated
/// while it is in the second-level cache, and threads need not wait for each other in between.
pub fn activatedMatmul(worker: *const Worker, op: abi.Operation, index: usize) void {
    const product: Product = .init(worker, op);
    const all = activatedColumns(worker, op);
    const together: usize = if (op.flag != 0) rows_together / 2 else rows_together;
    const after = nextWeights(worker, index + 1);
    var tokens = Together.init(worker, product.src);
    while (tokens.next()) |rows| {
        var column = all.begin;
        while (column < all.end) : (column += together) {
            const end = @min(column + together, all.end);
            const next = if (end < all.end)
                product.values(groupsOf(end, all.end))
            else if (tokens.more())
                product.values(groupsOf(all.begin, all.end))
            else
                after;
            activateColumns(worker, op, &product, rows, .{ .begin = column, .end = end }, next);
        }
    }
}

/// Goes on to the weights `next`.
fn activateColumns(
    worker: *const Worker,
    op: abi.Operation,
    product: *const Product,
    rows: Range,
    columns: Range,
    next: ?[*]const u8,
) void {
    const gated = op.flag != 0;
    const dst = worker.buffer(op.dst);
    const up_column = rows_together / 2;
    const first = groupsOf(columns.begin, columns.end);
    const up = groupsOf(dst.width + columns.begin, dst.width + columns.end);
    var out: interface.Output = .{
        .dst = worker.scratch.products.ptr,
        .stride = rows_together,
        .row_begin = first.begin * lanes,
        .bias = worker.vector(op.second),
        .residual = null,
        .rows = product.weight.rows,
    };
    product.run(rows, first, if (gated) product.values(up) else next, out);
    if (gated) {
        out.dst += up_column;
        out.row_begin = up.begin * lanes;
        product.run(rows, up, next, out);
    }
    worker.engine.model.kernels.activation(&.{
        .src = worker.scratch.products.ptr,
        .stride = rows_together,
        .up = up_column,
        .sink = dst.sink(rows.begin, worker.scratch.rows.ptr),
        .rows = rows.len(),
        .columns = dst.width,
        .column = columns.begin,
        .width = columns.len(),
        .kind = @enumFromInt(op.kind),
        .gated = gated,
    });
}

/// This thread's columns of an activated product.
fn activatedColumns(worker: *const Worker, op: abi.Operation) Range {
    const unit = interface.activated_columns;
    const own = worker.span.share(worker.buffer(op.dst).width / unit);
    return .{ .begin = own.begin * unit, .end = own.end * unit };
}

/// The groups of rows that give these columns.
fn groupsOf(begin: usize, end: usize) Range {
    return .{ .begin = begin / lanes, .end = end / lanes };
}

/// The rows of a source, some at a time.
const Together = struct {
    worker: *const Worker,
    rows: Range,

    fn init(worker: *const Worker, src: workspace.Buffer) Together {
        var all = worker.span;
        all.part = 0;
        all.parts = 1;
        return .{ .worker = worker, .rows = all.rows(src.kind) };
    }

    fn more(self: *const Together) bool {
        return self.rows.len() > 0;
    }

    fn next(self: *Together) ?Range {
        if (!self.more()) return null;
        if (self.worker.batch.cancelled()) {
            self.worker.failure.set(.cancelled, abi.none, 0);
            return null;
        }
        const begin = self.rows.begin;
        self.rows.begin = @min(begin + tokens_together, self.rows.end);
        return .{ .begin = begin, .end = self.rows.begin };
    }
};

/// Groups of a matrix's rows times rows of a source.
const Product = struct {
    kernels: *const interface.Kernels,
    weight: *const Weight,
    src: workspace.Buffer,
    /// Groups of an int8 matrix from here on are multiplied with both planes of the source.
    fine: usize,

    fn init(worker: *const Worker, op: abi.Operation) Product {
        return .{
            .kernels = worker.engine.model.kernels,
            .weight = &worker.engine.model.weights[op.weight],
            .src = worker.buffer(op.src),
            .fine = (op.fine_row + lanes - 1) / lanes,
        };
    }

    /// A thread's groups. Fine ones take twice the time.
    fn share(self: *const Product, span: batches.Span) Range {
        const count = self.weight.groups();
        const own = span.share(count + (count - self.fine));
        return .{ .begin = self.groupAt(own.begin), .end = self.groupAt(own.end) };
    }

    /// The group that is under way when `time` has passed, where one that is not fine takes 1.
    fn groupAt(self: *const Product, time: usize) usize {
        return @min(time, self.fine + (time -| self.fine) / 2);
    }

    /// Where the groups' weights begin; null where nothing is gained by fetching them early.
    fn values(self: *const Product, groups: Range) ?[*]const u8 {
        return switch (self.weight.content) {
            .int8 => |matrix| matrix.values.ptr + groups.begin * lanes * self.weight.columns,
            else => null,
        };
    }

    /// Fetches `follow`, the weights that this thread reads next, along the way.
    fn run(
        self: *const Product,
        tokens: Range,
        groups: Range,
        follow: ?[*]const u8,
        out: interface.Output,
    ) void {
        switch (self.weight.content) {
            .int8 => {
                const middle = std.math.clamp(self.fine, groups.begin, groups.end);
                const coarse: Range = .{ .begin = groups.begin, .end = middle };
                const fine: Range = .{ .begin = middle, .end = groups.end };
                const then = if (fine.len() > 0) self.values(fine) else follow;
                if (coarse.len() > 0) self.runInt8(1, tokens, coarse, then, out);
                if (fine.len() > 0) self.runInt8(2, tokens, fine, follow, out);
            },
            .float => |matrix| self.kernels.matmul_float[@intFromEnum(matrix.format)](&.{
                .values = matrix.values.ptr,
                .columns = self.weight.columns,
                .src = self.src.at(tokens.begin),
                .tokens = tokens.len(),
                .group_begin = groups.begin,
                .group_end = groups.end,
                .out = out,
            }),
            .vector, .table => unreachable, // plan.check
        }
    }

    /// With so many planes of the source.
    fn runInt8(
        self: *const Product,
        planes: usize,
        tokens: Range,
        groups: Range,
        follow: ?[*]const u8,
        out: interface.Output,
    ) void {
        const matrix = self.weight.content.int8;
        self.kernels.matmul_int8[planes - 1][@intFromEnum(matrix.format)](&.{
            .values = matrix.values.ptr,
            .scales = matrix.scales.ptr,
            .minimums = matrix.minimums.ptr,
            .columns = self.weight.columns,
            .src = self.src.quantizedAt(tokens.begin),
            .tokens = tokens.len(),
            .group_begin = groups.begin,
            .group_end = groups.end,
            .follow = follow orelse matrix.values.ptr,
            .out = out,
        });
    }
};

/// Where this thread's share of the next product, from operation `index` on, begins.
fn nextWeights(worker: *const Worker, index: usize) ?[*]const u8 {
    for (worker.engine.operations[index..]) |op| {
        if (!abi.isMatmul(op.code)) continue;
        const product: Product = .init(worker, op);
        if (op.code == @intFromEnum(abi.OperationCode.matmul)) {
            return product.values(product.share(worker.span));
        }
        const columns = activatedColumns(worker, op);
        return product.values(groupsOf(columns.begin, columns.end));
    }
    return null;
}
