//! A loaded model: a plan, with the packed weights and the workspace that it may share with others.
//! It knows no text and no file format; only which tensors lie where.

const std = @import("std");
const abi = @import("abi.zig");
const Handle = @import("handles.zig").Handle;
const Message = @import("message.zig").Message;
const models = @import("model.zig");
const plan = @import("plan.zig");
const Pool = @import("pool.zig").Pool;
const rope = @import("rope.zig");
const variants = @import("variants.zig");
const weights = @import("weights.zig");
const Shelf = @import("shelf.zig").Shelf;
const Schedule = @import("schedule.zig").Schedule;
const sections = @import("sections.zig");
const Workspace = @import("workspace.zig").Workspace;

const Model = models.Model;

pub const Error = models.Error || error{UnsupportedCpu};

/// What engines have in common.
pub const Shared = struct {
    models: Shelf(Model) = .{},
    workspaces: Shelf(Workspace) = .{},
};

pub const Engine = struct {
    arena: std.heap.ArenaAllocator,
    /// The channel of the JavaScript thread that has this model's handle; it goes when that closes.
    owner: ?Handle = null,
    shared: *Shared,
    model: *Model,
    workspace: *Workspace,
    pool: *Pool,
    threads: usize,
    parallelism: abi.Parallelism,
    spec: abi.LoadSpec,
    operations: []const abi.Operation,
    sections: sections.Sections,
    /// One table for each operation that rotates; equal bases share one.
    ropes: []const ?*rope.Table,
    /// Multiply-adds of the matrix products for one token.
    macs_per_token: u64,
    schedule: *Schedule,

    /// Reads a load spec and packs the model, if that is not done. On error `message` says why, and
    /// `part` names the tensor at fault, if it is one.
    pub fn load(
        bytes: []const u8,
        shared: *Shared,
        pool: *Pool,
        cancel: *const std.atomic.Value(bool),
        message: *Message,
        part: *u32,
    ) Error!*Engine {
        const view = try plan.read(bytes, message);
        const variant = try chooseVariant(view.spec.variant, message);
        const threads = pool.grow(@max(1, view.spec.threads));
        const model = try models.obtain(&shared.models, .{
            .view = view,
            .variant = variant,
            .pool = pool,
            .threads = threads,
            .cancel = cancel,
            .message = message,
            .part = part,
        });
        errdefer shared.models.release(model);
        const workspace: *Workspace = try .obtain(&shared.workspaces, .of(view, threads));
        errdefer shared.workspaces.release(workspace);

        var arena = std.heap.ArenaAllocator.init(std.heap.page_allocator);
        errdefer arena.deinit();
        const a = arena.allocator();
        const engine = try a.create(Engine);
        const schedule = try a.create(Schedule);
        schedule.* = .{};
        const operations = try plan.dupe(a, abi.Operation, view.operations);
        engine.* = .{
            .arena = undefined,
            .shared = shared,
            .model = model,
            .workspace = workspace,
            .pool = pool,
            .threads = threads,
            .parallelism = std.enums.fromInt(abi.Parallelism, view.spec.parallelism) orelse .auto,
            .spec = view.spec,
            .operations = operations,
            .sections = try .init(
                a,
                operations,
                model.weights,
                workspace.buffers,
                sections.weight_bytes,
            ),
            .ropes = try ropeTables(a, operations, model, view.spec.context_length),
            .macs_per_token = matmulCells(operations, model.weights),
            .schedule = schedule,
        };
        engine.arena = arena;
        return engine;
    }

    /// Makes ready for texts of so many tokens, before they run.
    pub fn reach(self: *const Engine, length: usize) void {
        for (self.ropes) |table| if (table) |found| found.extend(length);
    }

    pub fn destroy(self: *Engine) void {
        self.shared.workspaces.release(self.workspace);
        self.shared.models.release(self.model);
        var arena = self.arena;
        arena.deinit();
    }
};

fn chooseVariant(wanted: u32, message: *Message) error{UnsupportedCpu}!u32 {
    const index = if (wanted == abi.none) variants.best() else wanted;
    if (index) |i| {
        if (variants.kernels(i) != null) return @intCast(i);
        const name = if (i < variants.all.len) variants.all[i].name else "?";
        message.set("this CPU cannot run the variant {s}", .{name});
        return error.UnsupportedCpu;
    }
    message.set("this CPU is below the floor: x86-64-v3 (AVX2, FMA, F16C) or AArch64", .{});
    return error.UnsupportedCpu;
}

/// Elements of all matrices that a pass multiplies with. (Those behind pooling count like the
/// others, though they see texts and not tokens: it is an estimate.)
fn matmulCells(operations: []const abi.Operation, loaded: []const weights.Weight) u64 {
    var cells: u64 = 0;
    for (operations) |op| {
        if (!abi.isMatmul(op.code)) continue;
        const matrix = loaded[op.weight];
        cells += @as(u64, matrix.rows) * matrix.columns;
    }
    return cells;
}

fn ropeTables(
    arena: std.mem.Allocator,
    operations: []const abi.Operation,
    model: *Model,
    context_length: usize,
) error{OutOfMemory}![]const ?*rope.Table {
    const tables = try arena.alloc(?*rope.Table, operations.len);
    for (tables, operations) |*table, op| {
        const rotates = op.code == @intFromEnum(abi.OperationCode.prepare_heads) and
            op.rope_base != 0;
        table.* = if (rotates)
            try model.rotation(context_length, op.head_size, op.rope_base)
        else
            null;
    }
    return tables;
}
