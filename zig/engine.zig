//! A loaded model: packed weights, plan and workspace. It knows no text and no file format; only
//! which tensors lie where.

const std = @import("std");
const abi = @import("abi.zig");
const File = @import("file.zig").File;
const Handle = @import("handles.zig").Handle;
const interface = @import("kernels/interface.zig");
const Message = @import("message.zig").Message;
const plan = @import("plan.zig");
const Pool = @import("pool.zig").Pool;
const Region = @import("region.zig").Region;
const rope = @import("rope.zig");
const variants = @import("variants.zig");
const weights = @import("weights.zig");
const Schedule = @import("schedule.zig").Schedule;
const sections = @import("sections.zig");
const Workspace = @import("workspace.zig").Workspace;

pub const Error = error{
    InvalidPlan,
    FileNotFound,
    FileChanged,
    NotFinite,
    OutOfMemory,
    UnsupportedCpu,
    Cancelled,
};

pub const Engine = struct {
    arena: std.heap.ArenaAllocator,
    /// The channel of the JavaScript thread that has this model's handle; it goes when that closes.
    owner: ?Handle = null,
    file: File,
    /// Index into the variants' names, and what it computes with.
    variant: u32,
    kernels: *const interface.Kernels,
    pool: *Pool,
    threads: usize,
    parallelism: abi.Parallelism,
    spec: abi.LoadSpec,
    operations: []const abi.Operation,
    weights: []const weights.Weight,
    region: Region,
    workspace: Workspace,
    sections: sections.Sections,
    /// One table for each operation that rotates; equal bases share one.
    ropes: []const ?*rope.Table,
    /// Multiply-adds of the matrix products for one token.
    macs_per_token: u64,
    schedule: *Schedule,

    /// Reads a load spec and packs the model. On error `message` says why, and `part` names the
    /// tensor at fault, if it is one.
    pub fn load(
        bytes: []const u8,
        pool: *Pool,
        cancel: *const std.atomic.Value(bool),
        message: *Message,
        part: *u32,
    ) Error!*Engine {
        const view = try plan.read(bytes, message);
        const variant = try chooseVariant(view.spec.variant, message);
        const kernels = variants.kernels(variant).?;
        var arena = std.heap.ArenaAllocator.init(std.heap.page_allocator);
        errdefer arena.deinit();
        const a = arena.allocator();

        const path = try a.dupeZ(u8, view.path);
        const file = File.open(path) catch |err| {
            message.set("cannot open the file", .{});
            return err;
        };
        errdefer file.close();
        try plan.check(view, file.size, message);

        const threads = pool.grow(@max(1, view.spec.threads));
        const allocated = try weights.allocate(a, view);
        const loaded = allocated.weights;
        errdefer allocated.region.deinit();
        var faults: weights.Faults = .{};
        try weights.pack(a, view, loaded, kernels, file, pool, threads, cancel, &faults);
        if (cancel.load(.monotonic)) return error.Cancelled;
        try report(&faults, message, part);

        const engine = try a.create(Engine);
        const schedule = try a.create(Schedule);
        schedule.* = .{};
        const operations = try a.alloc(abi.Operation, view.operations.len);
        for (operations, view.operations) |*to, from| to.* = from;
        const workspace: Workspace = try .init(a, view, threads);
        errdefer workspace.deinit();
        engine.* = .{
            .arena = undefined,
            .file = file,
            .variant = variant,
            .kernels = kernels,
            .pool = pool,
            .threads = threads,
            .parallelism = std.enums.fromInt(abi.Parallelism, view.spec.parallelism) orelse .auto,
            .spec = view.spec,
            .operations = operations,
            .weights = loaded,
            .region = allocated.region,
            .workspace = workspace,
            .sections = try .init(
                a,
                operations,
                loaded,
                workspace.buffers,
                sections.weight_bytes,
            ),
            .ropes = try ropeTables(a, operations, view.spec.context_length),
            .macs_per_token = matmulCells(operations, loaded),
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
        self.file.close();
        self.region.deinit();
        self.workspace.deinit();
        var arena = self.arena;
        arena.deinit();
    }
};

fn report(faults: *const weights.Faults, message: *Message, part: *u32) Error!void {
    if (faults.missing.part()) |index| {
        part.* = index;
        message.set("the file ends before the tensor does", .{});
        return error.FileChanged;
    }
    if (faults.not_finite.part()) |index| {
        part.* = index;
        message.set("a value is not finite", .{});
        return error.NotFinite;
    }
}

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
    context_length: usize,
) error{OutOfMemory}![]const ?*rope.Table {
    const tables = try arena.alloc(?*rope.Table, operations.len);
    @memset(tables, null);
    for (operations, 0..) |op, i| {
        if (op.code != @intFromEnum(abi.OperationCode.prepare_heads) or op.rope_base == 0) continue;
        for (operations[0..i], tables[0..i]) |earlier, table| {
            const same = earlier.rope_base == op.rope_base and earlier.head_size == op.head_size;
            if (same and table != null) tables[i] = table;
        }
        if (tables[i] != null) continue;
        const table = try arena.create(rope.Table);
        table.* = try .init(arena, context_length, op.head_size, op.rope_base);
        tables[i] = table;
    }
    return tables;
}
