//! Activation buffers of engines: allocated once for the largest batch, paged in as batches grow.

const std = @import("std");
const abi = @import("abi.zig");
const interface = @import("kernels/interface.zig");
const plan = @import("plan.zig");
const products = @import("products.zig");
const regions = @import("region.zig");
const Shelf = @import("shelf.zig").Shelf;

const Region = regions.Region;
const alignment = regions.alignment;

const lanes = interface.lanes;

pub const Buffer = struct {
    kind: abi.RowKind,
    width: usize,
    /// `[rows][width]`, or null.
    float: ?[*]f32,
    quantized: ?interface.Quantized,
    /// Rows of the batch before the first one here.
    skipped: usize = 0,

    /// The sink for rows from `row` of the batch on.
    pub fn sink(self: Buffer, row: usize, scratch: [*]f32) interface.Sink {
        return .{
            .float = if (self.float != null) self.at(row) else null,
            .quantized = if (self.quantized != null) self.quantizedAt(row) else undefined,
            .has_quantized = self.quantized != null,
            .scratch = scratch,
        };
    }

    pub fn at(self: Buffer, row: usize) [*]f32 {
        return self.float.? + (row - self.skipped) * self.width;
    }

    pub fn quantizedAt(self: Buffer, row: usize) interface.Quantized {
        return self.quantized.?.at(row - self.skipped, self.width);
    }
};

/// What one thread needs for itself.
pub const Scratch = struct {
    /// `query_tile` rows of the widest buffer.
    rows: []align(64) f32,
    /// Products that are about to be activated.
    products: []align(64) f32,
    /// Attention scores: `query_tile · heads_together` rows of the longest text.
    scores: []align(64) f32,
    /// One row of the widest table, as stored.
    table_row: []u8,
};

/// What decides how much room there must be, and how it is divided.
pub const Shape = struct {
    buffers: []align(1) const abi.Buffer,
    token_capacity: usize,
    context_length: usize,
    /// Columns of an integer dot.
    step: usize,
    /// Of the widest weight, as if it were stored as float32.
    row_bytes: usize,
    threads: usize,

    pub fn of(view: plan.View, threads: usize) Shape {
        var row_bytes: usize = 0;
        for (view.weights) |weight| row_bytes = @max(row_bytes, @as(usize, weight.columns) * 4);
        return .{
            .buffers = view.buffers,
            .token_capacity = view.spec.token_capacity,
            .context_length = view.spec.context_length,
            .step = view.form().step(),
            .row_bytes = row_bytes,
            .threads = threads,
        };
    }
};

/// The memory of all buffers, and of each thread's scratch. Engines of one shape share it: only one
/// runs at a time, and none reads what it did not write in the same batch.
pub const Workspace = struct {
    arena: std.heap.ArenaAllocator,
    shape: Shape,
    buffers: []const Buffer,
    scratch: []const Scratch,
    region: Region,
    /// Engines that have it.
    users: usize = 0,
    next: ?*Workspace = null,

    pub fn obtain(workspaces: *Shelf(Workspace), shape: Shape) error{OutOfMemory}!*Workspace {
        if (workspaces.take(shape)) |workspace| return workspace;
        const workspace = try init(shape);
        workspaces.add(workspace);
        return workspace;
    }

    pub fn init(shape: Shape) error{OutOfMemory}!*Workspace {
        var arena = std.heap.ArenaAllocator.init(std.heap.page_allocator);
        errdefer arena.deinit();
        const a = arena.allocator();
        const workspace = try a.create(Workspace);
        var own = shape;
        own.buffers = try plan.dupe(a, abi.Buffer, shape.buffers);
        const buffers = try a.alloc(Buffer, shape.buffers.len);
        const scratch = try a.alloc(Scratch, shape.threads);
        var count: Count = .{};
        place(shape, buffers, scratch, &count);
        var region: Region = try .init(count.bytes, .small);
        place(shape, buffers, scratch, &region);
        workspace.* = .{
            .arena = arena,
            .shape = own,
            .buffers = buffers,
            .scratch = scratch,
            .region = region,
        };
        return workspace;
    }

    pub fn matches(self: *const Workspace, wanted: Shape) bool {
        const own = self.shape;
        return own.threads >= wanted.threads and own.token_capacity == wanted.token_capacity and
            own.context_length == wanted.context_length and own.row_bytes == wanted.row_bytes and
            own.step == wanted.step and
            plan.same(abi.Buffer, own.buffers, wanted.buffers);
    }

    pub fn destroy(self: *Workspace) void {
        self.region.deinit();
        var arena = self.arena;
        arena.deinit();
    }
};

/// Counts what would be taken from a region.
const Count = struct {
    bytes: usize = 0,

    fn take(self: *Count, bytes: usize) []align(alignment) u8 {
        self.bytes += std.mem.alignForward(usize, bytes, alignment);
        return &.{};
    }
};

/// Lays everything out, one behind the other, in what `from` gives.
fn place(shape: Shape, buffers: []Buffer, scratch: []Scratch, from: anytype) void {
    var width: usize = 0;
    for (buffers, shape.buffers) |*buffer, spec| {
        buffer.* = placeBuffer(spec, shape, from);
        width = @max(width, spec.width);
    }
    const length = std.mem.alignForward(usize, shape.context_length, lanes);
    const score_rows = interface.query_tile * interface.heads_together;
    for (scratch) |*own| own.* = .{
        .rows = take(f32, from, interface.query_tile * width),
        .products = take(f32, from, products.scratch_length),
        .scores = take(f32, from, score_rows * length),
        .table_row = from.take(shape.row_bytes),
    };
}

fn placeBuffer(spec: abi.Buffer, shape: Shape, from: anytype) Buffer {
    const kind: abi.RowKind = @enumFromInt(spec.rows);
    const rows = switch (kind) {
        .tokens, .texts => shape.token_capacity,
        // A text of one token still takes a group of 16.
        .keys => shape.token_capacity * lanes,
    };
    const step = shape.step;
    const cells = rows * spec.width;
    const planes: usize = spec.quantized;
    return .{
        .kind = kind,
        .width = spec.width,
        .float = if (spec.float != 0) take(f32, from, cells).ptr else null,
        .quantized = if (planes != 0) .{
            .values = take(i8, from, cells * planes).ptr,
            .scales = take(f32, from, cells * planes / step).ptr,
            .corrections = take(i32, from, cells * planes / step).ptr,
            .sums = take(f32, from, cells / step).ptr,
            .step = step,
            .scale_block = step,
            .planes = planes,
        } else null,
    };
}

fn take(comptime T: type, from: anytype, count: usize) []align(alignment) T {
    return @ptrCast(from.take(count * @sizeOf(T)));
}
