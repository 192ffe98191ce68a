//! A plan in sections, for threads that take texts in passes: a section's weights stay in the
//! last-level cache from pass to pass, and what only the section itself reads needs room for no
//! more than one pass.

const std = @import("std");
const abi = @import("abi.zig");
const Access = @import("access.zig").Access;
const plan = @import("plan.zig");
const Buffer = @import("workspace.zig").Buffer;
const Weight = @import("weights.zig").Weight;

/// Weights of a section: each pass reads them again, from the last-level cache.
pub const weight_bytes = 4 << 20;

const Set = std.StaticBitSet(plan.buffer_count_max);

pub const Sections = struct {
    /// For each section the operation after its last.
    ends: []const usize,
    /// Buffers that an operation reads from a section before its own.
    carried: Set,

    pub fn init(
        arena: std.mem.Allocator,
        operations: []const abi.Operation,
        weights: []const Weight,
        buffers: []const Buffer,
        bytes_max: usize,
    ) error{OutOfMemory}!Sections {
        var ends: std.ArrayList(usize) = .empty;
        var begin: usize = 0;
        while (begin < operations.len) {
            begin = sectionEnd(operations, weights, bytes_max, begin);
            try ends.append(arena, begin);
        }
        return .{
            .carried = carriedBuffers(operations, weights, buffers, ends.items),
            .ends = try ends.toOwnedSlice(arena),
        };
    }
};

/// The operation after a section that begins with `begin`. Pooling begins one.
fn sectionEnd(
    operations: []const abi.Operation,
    weights: []const Weight,
    bytes_max: usize,
    begin: usize,
) usize {
    var bytes: usize = 0;
    for (operations[begin..], begin..) |op, i| {
        if (op.code == @intFromEnum(abi.OperationCode.pool) and i > begin) return i;
        if (!abi.isMatmul(op.code)) continue;
        bytes += weights[op.weight].bytes();
        if (bytes > bytes_max and i > begin) return i;
    }
    return operations.len;
}

/// Buffers whose rows somebody still reads where a section begins: from the last operation to the
/// first, what one writes nobody before it needs, and what it reads is needed.
fn carriedBuffers(
    operations: []const abi.Operation,
    weights: []const Weight,
    buffers: []const Buffer,
    ends: []const usize,
) Set {
    var carried: Set = .initEmpty();
    var needed: Set = .initEmpty();
    var section = ends.len;
    var i = operations.len;
    while (i > 0) : (i -= 1) {
        if (section > 0 and ends[section - 1] == i) {
            carried.setUnion(needed);
            section -= 1;
        }
        const op = operations[i - 1];
        // A part of the columns leaves the others as they were.
        const whole = op.code != @intFromEnum(abi.OperationCode.matmul) or
            weights[op.weight].rows == buffers[op.dst].width;
        stepBack(&needed, op, whole);
    }
    return carried;
}

/// `whole`: it writes all columns of its destination.
fn stepBack(needed: *Set, op: abi.Operation, whole: bool) void {
    const access: Access = .of(op);
    if (whole) for (access.writes) |buffer| {
        if (buffer != abi.none) needed.unset(buffer);
    };
    for (access.reads ++ .{access.multiplied}) |buffer| {
        if (buffer != abi.none) needed.set(buffer);
    }
}
