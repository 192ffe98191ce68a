//! A model's weights as the kernels read them. Matrices are packed on all threads at load; vectors
//! become float32; large tables stay in their files.

const std = @import("std");
const abi = @import("abi.zig");
const interface = @import("kernels/interface.zig");
const File = @import("file.zig").File;
const plan = @import("plan.zig");
const Pool = @import("pool.zig").Pool;
const Region = @import("region.zig").Region;
const TensorType = @import("quants/formats.zig").TensorType;
const region_alignment = @import("region.zig").alignment;

const lanes = interface.lanes;

/// Tables up to this size are kept in memory: position and token type tables, not vocabularies.
const resident_bytes_max = 4 << 20;
/// What one packing task reads, about: little enough for a second-level cache, in whole groups.
const task_bytes = 128 << 10;

pub const MatrixInt8 = struct {
    format: interface.FormatId,
    /// `[groups][columns / 4][16][4]`, or with 8 for 4
    values: []align(64) u8,
    /// `[groups][columns / weight_block][16]`
    scales: []align(64) u8,
    /// Likewise; empty in forms without.
    minimums: []align(64) u8,

    fn group(self: MatrixInt8, index: usize, columns: usize) [*]u8 {
        return self.values.ptr + index * lanes * columns;
    }

    fn groupScales(self: MatrixInt8, index: usize, columns: usize) *anyopaque {
        return self.scales.ptr + index * self.format.scaleBytes(columns);
    }

    fn groupMinimums(self: MatrixInt8, index: usize, columns: usize) *anyopaque {
        return self.minimums.ptr + index * self.format.minimumBytes(columns);
    }
};

pub const MatrixFloat = struct {
    format: interface.FloatId,
    /// `[groups][columns][16]` in the format
    values: []align(64) u8,

    fn group(self: MatrixFloat, index: usize, columns: usize) *anyopaque {
        return self.values.ptr + index * lanes * columns * self.format.bytes();
    }
};

pub const Table = struct {
    format: TensorType,
    /// Index of its file.
    file: u32,
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

/// Parts at fault; of several the first, whoever finds it when.
pub const Faults = struct {
    /// A value that is not finite.
    not_finite: First = .{},
    /// Its file ends before the part does.
    missing: First = .{},

    const First = struct {
        value: std.atomic.Value(u32) = .init(abi.none),

        fn add(self: *First, index: u32) void {
            _ = self.value.fetchMin(index, .monotonic);
        }

        pub fn part(self: *const First) ?u32 {
            const index = self.value.load(.monotonic);
            return if (index == abi.none) null else index;
        }
    };
};

pub const Allocated = struct {
    weights: []Weight,
    /// Holds all that the weights point to.
    region: Region,
};

/// Room for every weight; nothing is read yet.
pub fn allocate(arena: std.mem.Allocator, view: plan.View) error{OutOfMemory}!Allocated {
    var bytes: usize = 0;
    const form = view.form();
    for (view.weights) |spec| bytes += Layout.of(view, spec, form).total();
    var region: Region = try .init(bytes, .huge);
    errdefer region.deinit();
    const weights = try arena.alloc(Weight, view.weights.len);
    for (weights, view.weights) |*weight, spec| {
        weight.* = place(view, spec, form, &region);
    }
    return .{ .weights = weights, .region = region };
}

/// Bytes of a weight. The rows that fill up its last group of 16 stay zero.
const Layout = struct {
    values: usize,
    scales: usize = 0,
    minimums: usize = 0,

    fn of(view: plan.View, spec: abi.Weight, form: interface.FormatId) Layout {
        const part = view.parts[spec.part_begin];
        const kind: TensorType = @enumFromInt(part.type);
        const groups = groupCount(spec.rows);
        const cells = groups * lanes * @as(usize, spec.columns);
        return switch (@as(abi.WeightKind, @enumFromInt(spec.kind))) {
            .matrix => if (kind.float()) |format|
                .{ .values = cells * format.bytes() }
            else
                .{
                    .values = cells,
                    .scales = groups * form.scaleBytes(spec.columns),
                    .minimums = groups * form.minimumBytes(spec.columns),
                },
            .vector => .{
                .values = std.mem.alignForward(usize, spec.columns, lanes) * @sizeOf(f32),
            },
            .table => .{
                .values = if (part.byte_length > resident_bytes_max)
                    0
                else
                    @intCast(part.byte_length),
            },
        };
    }

    fn total(self: Layout) usize {
        return std.mem.alignForward(usize, self.values, region_alignment) +
            std.mem.alignForward(usize, self.scales, region_alignment) +
            std.mem.alignForward(usize, self.minimums, region_alignment);
    }
};

fn place(
    view: plan.View,
    spec: abi.Weight,
    form: interface.FormatId,
    region: *Region,
) Weight {
    const part = view.parts[spec.part_begin];
    const kind: TensorType = @enumFromInt(part.type);
    const layout: Layout = .of(view, spec, form);
    const values = region.take(layout.values);
    const scales = region.take(layout.scales);
    const minimums = region.take(layout.minimums);
    return .{
        .rows = spec.rows,
        .columns = spec.columns,
        .part_begin = spec.part_begin,
        .content = switch (@as(abi.WeightKind, @enumFromInt(spec.kind))) {
            .matrix => if (kind.float()) |format|
                .{ .float = .{ .format = format, .values = values } }
            else
                .{ .int8 = .{
                    .format = form,
                    .values = values,
                    .scales = scales,
                    .minimums = minimums,
                } },
            .vector => .{ .vector = @ptrCast(values) },
            .table => .{ .table = .{
                .format = kind,
                .file = part.file,
                .offset = part.offset,
                .row_bytes = @intCast(kind.rowBytes(spec.columns)),
                .resident = if (values.len == 0) null else values,
            } },
        },
    };
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
    files: []const File,
    /// What a thread reads before it packs it, in its second-level cache: `buffer_bytes` each.
    buffers: []u8,
    buffer_bytes: usize,
    cancel: *const std.atomic.Value(bool),
    faults: *Faults,

    fn run(context: *anyopaque, thread: usize) void {
        const self: *Work = @ptrCast(@alignCast(context));
        const buffer = self.buffers[thread * self.buffer_bytes ..][0..self.buffer_bytes];
        while (true) {
            const i = self.next.fetchAdd(1, .monotonic);
            if (i >= self.tasks.len or self.cancel.load(.monotonic)) return;
            const task = self.tasks[i];
            const finite = self.pack(task, buffer) catch {
                self.faults.missing.add(task.part);
                continue;
            };
            if (!finite) self.faults.not_finite.add(task.part);
        }
    }

    fn pack(self: *Work, task: Task, buffer: []u8) error{FileChanged}!bool {
        const part = self.view.parts[task.part];
        const weight = self.weights[task.weight];
        const row_bytes = rowBytes(weight, part);
        const into = switch (weight.content) {
            .table => |table| table.resident.?,
            else => buffer[0 .. (task.row_end - task.row_begin) * row_bytes],
        };
        try self.files[part.file].read(into, part.offset + task.row_begin * row_bytes);
        return switch (weight.content) {
            .int8, .float => self.packRows(task, into.ptr, row_bytes),
            // A vector is a single row to look up.
            .vector => |vector| self.kernels.look_up(&.{
                .row = into.ptr,
                .format = @enumFromInt(part.type),
                .dst = vector.ptr + task.row_offset,
                .width = part.rows,
                .scale = 1,
                .add = false,
            }),
            .table => true,
        };
    }

    /// Rows of one group at a time: all 16 but where a part begins or ends within a group.
    fn packRows(self: *Work, task: Task, read: [*]const u8, row_bytes: usize) bool {
        const weight = &self.weights[task.weight];
        var finite = true;
        var row: usize = task.row_begin;
        while (row < task.row_end) {
            const packed_row = task.row_offset + row;
            const group = packed_row / lanes;
            const lane = packed_row % lanes;
            const rows = @min(lanes - lane, task.row_end - row);
            const src = read + (row - task.row_begin) * row_bytes;
            finite = switch (weight.content) {
                .int8 => |matrix| self.kernels.pack_int8(&.{
                    .src = src,
                    .format = @enumFromInt(self.view.parts[task.part].type),
                    .form = matrix.format,
                    .columns = weight.columns,
                    .values = matrix.group(group, weight.columns),
                    .scales = matrix.groupScales(group, weight.columns),
                    .minimums = matrix.groupMinimums(group, weight.columns),
                    .lane = lane,
                    .rows = rows,
                }),
                .float => |matrix| self.kernels.pack_float(&.{
                    .src = src,
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

/// Reads every weight from its file, on `threads` threads. The result says only that memory
/// sufficed; `faults` names parts that are not as they should be.
pub fn pack(
    arena: std.mem.Allocator,
    view: plan.View,
    weights: []Weight,
    kernels: *const interface.Kernels,
    files: []const File,
    pool: *Pool,
    threads: usize,
    cancel: *const std.atomic.Value(bool),
    faults: *Faults,
) error{OutOfMemory}!void {
    const tasks = try listTasks(arena, view, weights);
    var buffer_bytes: usize = 0;
    for (tasks) |task| {
        const weight = weights[task.weight];
        if (weight.content == .table) continue;
        const rows = task.row_end - task.row_begin;
        buffer_bytes = @max(buffer_bytes, rows * rowBytes(weight, view.parts[task.part]));
    }
    buffer_bytes = std.mem.alignForward(usize, buffer_bytes, region_alignment);
    const buffers = try std.heap.page_allocator.alloc(u8, threads * buffer_bytes);
    defer std.heap.page_allocator.free(buffers);
    var work: Work = .{
        .view = view,
        .weights = weights,
        .tasks = tasks,
        .kernels = kernels,
        .files = files,
        .buffers = buffers,
        .buffer_bytes = buffer_bytes,
        .cancel = cancel,
        .faults = faults,
    };
    pool.run(threads, Work.run, &work);
}

/// Of a vector, whose parts count elements as rows, the bytes of one.
fn rowBytes(weight: Weight, part: abi.Part) usize {
    const kind: TensorType = @enumFromInt(part.type);
    return @intCast(kind.rowBytes(if (weight.content == .vector) 1 else weight.columns));
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
            const part = view.parts[p];
            const groups = @max(1, task_bytes / (lanes * rowBytes(weight, part)));
            const step: u32 = if (whole) part.rows else @intCast(groups * lanes);
            var row: u32 = 0;
            while (row < part.rows) : (row += step) {
                try tasks.append(arena, .{
                    .weight = @intCast(w),
                    .part = @intCast(p),
                    .row_offset = row_offset,
                    .row_begin = row,
                    .row_end = @min(part.rows, row + step),
                });
            }
            row_offset += part.rows;
        }
    }
    return tasks.items;
}
