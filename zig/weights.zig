//! A model's weights as the kernels read them. Matrices are packed on all threads at load and their
//! pages of the file given back; vectors become float32; large tables stay in the file.

const std = @import("std");
const abi = @import("abi.zig");
const interface = @import("kernels/interface.zig");
const map = @import("map.zig");
const plan = @import("plan.zig");
const Pool = @import("pool.zig").Pool;

const lanes = interface.lanes;

/// Tables up to this size are kept in memory: position and token type tables, not vocabularies.
const resident_bytes_max = 4 << 20;
/// Rows of a part that one packing task takes: some hundred kilobytes.
const task_rows = 128;

pub const MatrixInt8 = struct {
    format: interface.FormatId,
    /// `[groups][columns / 4][16][4]`
    values: []align(64) u8,
    /// `[groups][columns / 32][16]`
    scales: []align(64) f16,

    fn group(self: MatrixInt8, index: usize, columns: usize) [*]u8 {
        return self.values.ptr + index * lanes * columns;
    }

    fn groupScales(self: MatrixInt8, index: usize, columns: usize) [*]f16 {
        return self.scales.ptr + index * lanes * (columns / 32);
    }
};

pub const MatrixFloat = struct {
    format: interface.FloatId,
    /// `[groups][columns][16]` in the format
    values: []align(64) u8,

    fn group(self: MatrixFloat, index: usize, columns: usize) *anyopaque {
        return self.values.ptr + index * lanes * columns * self.elementBytes();
    }

    fn elementBytes(self: MatrixFloat) usize {
        return if (self.format == .f32) 4 else 2;
    }
};

pub const Table = struct {
    format: interface.TableFormat,
    offset: u64,
    row_bytes: usize,
    /// The whole table, when it is small.
    resident: ?[]u8,
};

pub const Weight = struct {
    rows: u32,
    columns: u32,
    part_begin: u32,
    content: union(enum) {
        int8: MatrixInt8,
        float: MatrixFloat,
        /// Padded with zeros to whole vectors.
        vector: []align(64) f32,
        table: Table,
    },

    /// Of a matrix.
    pub fn bytes(self: Weight) usize {
        return switch (self.content) {
            .int8 => |matrix| matrix.values.len,
            .float => |matrix| matrix.values.len,
            .vector, .table => 0,
        };
    }

    pub fn groups(self: Weight) usize {
        return groupCount(self.rows);
    }
};

fn groupCount(rows: u32) usize {
    return (@as(usize, rows) + lanes - 1) / lanes;
}

/// The first part at fault, if any, whoever finds it when.
pub const Fault = struct {
    part: std.atomic.Value(u32) = .init(abi.none),

    fn set(self: *Fault, part: u32) void {
        _ = self.part.fetchMin(part, .monotonic);
    }
};

/// Allocates room for every weight; nothing is read yet.
pub fn allocate(arena: std.mem.Allocator, view: plan.View) error{OutOfMemory}![]Weight {
    const weights = try arena.alloc(Weight, view.weights.len);
    for (weights, view.weights) |*weight, spec| {
        const part = view.parts[spec.part_begin];
        const kind: plan.TensorType = @enumFromInt(part.type);
        const groups = groupCount(spec.rows);
        weight.* = .{
            .rows = spec.rows,
            .columns = spec.columns,
            .part_begin = spec.part_begin,
            .content = undefined,
        };
        const group = lanes * @as(usize, spec.columns);
        weight.content = switch (@as(abi.WeightKind, @enumFromInt(spec.kind))) {
            .matrix => if (kind.float()) |format| blk: {
                const bytes = group * @as(usize, if (format == .f32) 4 else 2);
                break :blk .{ .float = .{
                    .format = format,
                    .values = try padded(u8, arena, groups * bytes, bytes),
                } };
            } else .{ .int8 = .{
                .format = .scale_f16,
                .values = try padded(u8, arena, groups * group, group),
                .scales = try padded(f16, arena, groups * group / 32, group / 32),
            } },
            .vector => .{ .vector = try padded(
                f32,
                arena,
                std.mem.alignForward(usize, spec.columns, lanes),
                lanes,
            ) },
            .table => .{ .table = .{
                .format = kind.table(),
                .offset = part.offset,
                .row_bytes = @intCast(kind.rowBytes(spec.columns)),
                .resident = if (part.byte_length <= resident_bytes_max)
                    try arena.alloc(u8, @intCast(part.byte_length))
                else
                    null,
            } },
        };
    }
    return weights;
}

/// Memory whose last `tail` elements are zero: where the last group of 16 rows is partly empty.
fn padded(comptime T: type, arena: std.mem.Allocator, n: usize, tail: usize) ![]align(64) T {
    const memory = try arena.alignedAlloc(T, .@"64", n);
    @memset(memory[n - tail ..], std.mem.zeroes(T));
    return memory;
}

const Task = struct {
    weight: u32,
    part: u32,
    /// First row of the part in the stacked matrix.
    row_offset: u32,
    row_begin: u32,
    row_end: u32,
};

const Work = struct {
    view: plan.View,
    weights: []Weight,
    tasks: []const Task,
    next: std.atomic.Value(usize) = .init(0),
    kernels: *const interface.Kernels,
    mapping: map.Mapping,
    cancel: *const std.atomic.Value(bool),
    fault: *Fault,

    fn run(context: *anyopaque, _: usize) void {
        const self: *Work = @ptrCast(@alignCast(context));
        while (true) {
            const i = self.next.fetchAdd(1, .monotonic);
            if (i >= self.tasks.len or self.cancel.load(.monotonic)) return;
            const task = self.tasks[i];
            if (!self.pack(task)) self.fault.set(task.part);
        }
    }

    fn pack(self: *Work, task: Task) bool {
        const part = self.view.parts[task.part];
        const weight = &self.weights[task.weight];
        const begin: usize = @intCast(part.offset);
        const src = self.mapping.bytes[begin..].ptr;
        const row_bytes: usize = @intCast(part.byte_length / part.rows);
        defer self.mapping.forget(
            begin + task.row_begin * row_bytes,
            begin + task.row_end * row_bytes,
        );
        return switch (weight.content) {
            .int8, .float => self.packRows(task, src, row_bytes),
            // A vector is a single row to look up.
            .vector => |vector| self.kernels.look_up(&.{
                .row = src,
                .format = @as(plan.TensorType, @enumFromInt(part.type)).table(),
                .dst = vector.ptr + task.row_offset,
                .width = part.rows,
                .scale = 1,
                .add = false,
            }),
            .table => |table| {
                @memcpy(table.resident.?, src);
                return true;
            },
        };
    }

    /// Rows of one group at a time: all 16 but where a part begins or ends within a group.
    fn packRows(self: *Work, task: Task, src: [*]const u8, row_bytes: usize) bool {
        const weight = &self.weights[task.weight];
        var finite = true;
        var row: usize = task.row_begin;
        while (row < task.row_end) {
            const packed_row = task.row_offset + row;
            const group = packed_row / lanes;
            const lane = packed_row % lanes;
            const rows = @min(lanes - lane, task.row_end - row);
            const from = src + row * row_bytes;
            finite = switch (weight.content) {
                .int8 => |matrix| self.kernels.pack_q8(&.{
                    .src = from,
                    .columns = weight.columns,
                    .values = matrix.group(group, weight.columns),
                    .scales = matrix.groupScales(group, weight.columns),
                    .lane = lane,
                    .rows = rows,
                }),
                .float => |matrix| self.kernels.pack_float(&.{
                    .src = from,
                    .format = matrix.format,
                    .columns = weight.columns,
                    .values = matrix.group(group, weight.columns),
                    .lane = lane,
                    .rows = rows,
                }),
                .vector, .table => unreachable,
            } and finite;
            row += rows;
        }
        return finite;
    }
};

/// Reads every weight from the mapped file, on `threads` threads. The result says only that memory
/// sufficed; `fault` names a part with values that are not finite.
pub fn pack(
    arena: std.mem.Allocator,
    view: plan.View,
    weights: []Weight,
    kernels: *const interface.Kernels,
    mapping: map.Mapping,
    pool: *Pool,
    threads: usize,
    cancel: *const std.atomic.Value(bool),
    fault: *Fault,
) error{OutOfMemory}!void {
    var work: Work = .{
        .view = view,
        .weights = weights,
        .tasks = try listTasks(arena, view, weights),
        .kernels = kernels,
        .mapping = mapping,
        .cancel = cancel,
        .fault = fault,
    };
    pool.run(threads, Work.run, &work);
}

fn listTasks(arena: std.mem.Allocator, view: plan.View, weights: []const Weight) ![]const Task {
    var tasks: std.ArrayList(Task) = .empty;
    for (weights, view.weights, 0..) |weight, spec, w| {
        const whole = switch (weight.content) {
            .int8, .float => false,
            .vector => true,
            .table => |table| if (table.resident == null) continue else true,
        };
        var row_offset: u32 = 0;
        for (spec.part_begin..spec.part_begin + spec.part_count) |p| {
            const rows = view.parts[p].rows;
            const step = if (whole) rows else task_rows;
            var row: u32 = 0;
            while (row < rows) : (row += step) {
                try tasks.append(arena, .{
                    .weight = @intCast(w),
                    .part = @intCast(p),
                    .row_offset = row_offset,
                    .row_begin = row,
                    .row_end = @min(rows, row + step),
                });
            }
            row_offset += rows;
        }
    }
    return tasks.items;
}
