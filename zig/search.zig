//! A caller's vectors against his queries, a part of them a call: the best of each query are kept
//! between calls in memory of the caller, and nowhere else.

const std = @import("std");
const abi = @import("abi.zig");
const interface = @import("kernels/interface.zig");
const TopK = @import("top_k.zig").TopK;
const variants = @import("variants.zig");

const scored_rows = interface.scored_rows;

/// Exact integer dots of so many bytes fit 32 bits.
const dimensions_max = 65_536;

/// Queries that are scored in one go.
const scored_queries = 8;

pub const Vectors = struct {
    /// `[query_count]`
    queries: []const u8,
    query_numbers: []const f64,
    /// `[row_count]`
    rows: []const u8,
    row_scales: ?[*]const f32,
};

/// What is kept: `[query_count][capacity]`, and how many of them there are.
pub const Kept = struct {
    scores: []f64,
    indices: []u32,
    counts: []u32,
};

pub fn run(spec: abi.SearchSpec, vectors: Vectors, kept: Kept) abi.Status {
    const kernels = kernelsOf(spec.variant) orelse return .unsupported_cpu;
    const row_bytes = rowBytes(spec);
    var row: usize = 0;
    while (row < spec.row_count) : (row += scored_rows) {
        const count = @min(scored_rows, spec.row_count - row);
        var squares: [scored_rows]f64 = undefined;
        var scores: [scored_queries][scored_rows]f64 = undefined;
        var query: usize = 0;
        while (query < spec.query_count) : (query += scored_queries) {
            const queries = @min(scored_queries, spec.query_count - query);
            const finite = kernels.score[spec.encoding](&.{
                .metric = @enumFromInt(spec.metric),
                .dimensions = spec.dimensions,
                .queries = vectors.queries.ptr + query * row_bytes,
                .query_count = queries,
                .query_numbers = vectors.query_numbers.ptr + query,
                .rows = vectors.rows.ptr + row * row_bytes,
                .row_count = count,
                .row_scales = if (vectors.row_scales) |scales| scales + row else null,
                .scores = &scores,
                .squares = &squares,
                .squares_known = query > 0,
            });
            if (!finite) return .not_finite;
            for (scores[0..queries], query..) |*some, q| {
                offer(kept, spec.capacity, q, some[0..count], spec.first_row + row);
            }
        }
    }
    return .ok;
}

fn offer(kept: Kept, capacity: usize, query: usize, scores: []const f64, first: usize) void {
    var top: TopK = .{
        .scores = kept.scores[query * capacity ..][0..capacity],
        .indices = kept.indices[query * capacity ..][0..capacity],
        .count = kept.counts[query],
    };
    top.offer(scores, @intCast(first));
    kept.counts[query] = @intCast(top.count);
}

/// Of a valid spec.
pub fn rowBytes(spec: abi.SearchSpec) usize {
    const encoding: interface.Encoding = @enumFromInt(spec.encoding);
    return encoding.rowBytes(spec.dimensions);
}

/// Only dot products have a unit, and float32 is its own.
pub fn hasScales(spec: abi.SearchSpec) bool {
    const encoding: interface.Encoding = @enumFromInt(spec.encoding);
    const metric: interface.Metric = @enumFromInt(spec.metric);
    return metric == .dot and encoding != .float32;
}

/// Whether a spec says what can be done.
pub fn isValid(spec: abi.SearchSpec) bool {
    if (spec.size != @sizeOf(abi.SearchSpec)) return false;
    if (spec.dimensions == 0 or spec.dimensions > dimensions_max) return false;
    const encoding = std.enums.fromInt(interface.Encoding, spec.encoding) orelse return false;
    if (encoding == .binary and spec.dimensions % 8 != 0) return false;
    if (std.enums.fromInt(interface.Metric, spec.metric) == null) return false;
    if (@as(u64, spec.first_row) + spec.row_count > abi.none) return false;
    return spec.query_count > 0 and spec.capacity > 0;
}

/// Asking the CPU what it can do takes tens of microseconds on a virtual machine.
var known: [variants.all.len + 1]std.atomic.Value(?*const interface.Kernels) = @splat(.init(null));

fn kernelsOf(variant: u32) ?*const interface.Kernels {
    const slot = if (variant == abi.none) variants.all.len else variant;
    if (slot >= known.len) return null;
    if (known[slot].load(.acquire)) |kernels| return kernels;
    const index = if (variant == abi.none) variants.best() orelse return null else variant;
    const kernels = variants.kernels(index) orelse return null;
    known[slot].store(kernels, .release);
    return kernels;
}
