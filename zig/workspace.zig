//! Activation buffers of an engine: allocated once for the largest batch, paged in as batches grow.

const std = @import("std");
const abi = @import("abi.zig");
const interface = @import("kernels/interface.zig");
const plan = @import("plan.zig");
const products = @import("products.zig");

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

pub fn allocateBuffers(arena: std.mem.Allocator, view: plan.View) error{OutOfMemory}![]Buffer {
    const buffers = try arena.alloc(Buffer, view.buffers.len);
    const tokens: usize = view.spec.token_capacity;
    for (buffers, view.buffers) |*buffer, spec| {
        const kind: abi.RowKind = @enumFromInt(spec.rows);
        const rows = switch (kind) {
            .tokens, .texts => tokens,
            // A text of one token still takes a group of 16.
            .keys => tokens * lanes,
        };
        const cells = rows * spec.width;
        buffer.* = .{ .kind = kind, .width = spec.width, .float = null, .quantized = null };
        if (spec.float != 0) buffer.float = (try arena.alignedAlloc(f32, .@"64", cells)).ptr;
        if (spec.quantized != 0) {
            const step = 32;
            const planes: usize = spec.quantized;
            buffer.quantized = .{
                .values = (try arena.alignedAlloc(i8, .@"64", cells * planes)).ptr,
                .scales = (try arena.alignedAlloc(f32, .@"64", cells * planes / step)).ptr,
                .corrections = (try arena.alignedAlloc(i32, .@"64", cells * planes / step)).ptr,
                .sums = (try arena.alignedAlloc(f32, .@"64", cells / step)).ptr,
                .step = step,
                .scale_block = step,
                .planes = planes,
            };
        }
    }
    return buffers;
}

pub fn allocateScratch(
    arena: std.mem.Allocator,
    view: plan.View,
    threads: usize,
) error{OutOfMemory}![]Scratch {
    var width: usize = 0;
    for (view.buffers) |buffer| width = @max(width, buffer.width);
    var row_bytes: usize = 0;
    for (view.weights) |weight| row_bytes = @max(row_bytes, @as(usize, weight.columns) * 4);
    const length = std.mem.alignForward(usize, view.spec.context_length, lanes);
    const score_rows = interface.query_tile * interface.heads_together;
    const all = try arena.alloc(Scratch, threads);
    for (all) |*scratch| {
        scratch.* = .{
            .rows = try arena.alignedAlloc(f32, .@"64", interface.query_tile * width),
            .products = try arena.alignedAlloc(f32, .@"64", products.scratch_length),
            .scores = try arena.alignedAlloc(f32, .@"64", score_rows * length),
            .table_row = try arena.alloc(u8, row_bytes),
        };
    }
    return all;
}
