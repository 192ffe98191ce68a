//! What the engines of one model's files share: its packed weights, and the tables of angles that
//! heads are turned by.

const std = @import("std");
const abi = @import("abi.zig");
const file = @import("file.zig");
const interface = @import("kernels/interface.zig");
const Message = @import("message.zig").Message;
const plan = @import("plan.zig");
const Pool = @import("pool.zig").Pool;
const Region = @import("region.zig").Region;
const rope = @import("rope.zig");
const Shelf = @import("shelf.zig").Shelf;
const variants = @import("variants.zig");
const weights = @import("weights.zig");

const Files = file.Files;
const page_allocator = std.heap.page_allocator;

pub const Error = plan.Error || error{ FileNotFound, NotFinite, OutOfMemory, Cancelled };

/// What a load wants, and where it says why it cannot have it.
pub const Request = struct {
    view: plan.View,
    variant: u32,
    pool: *Pool,
    threads: usize,
    cancel: *const std.atomic.Value(bool),
    message: *Message,
    /// The tensor at fault, if it is one.
    part: *u32,
};

pub const Model = struct {
    arena: std.heap.ArenaAllocator,
    key: Key,
    files: Files,
    kernels: *const interface.Kernels,
    weights: []const weights.Weight,
    region: Region,
    ropes: std.ArrayList(*rope.Table) = .empty,
    /// Engines that have it.
    users: usize = 0,
    next: ?*Model = null,

    /// The table for such heads, made for the first who asks.
    pub fn rotation(
        self: *Model,
        positions: usize,
        head_size: usize,
        base: f64,
    ) error{OutOfMemory}!*rope.Table {
        for (self.ropes.items) |table| {
            if (table.serves(positions, head_size, base)) return table;
        }
        const arena = self.arena.allocator();
        const table = try arena.create(rope.Table);
        table.* = try .init(arena, positions, head_size, base);
        try self.ropes.append(arena, table);
        return table;
    }

    pub fn matches(self: *const Model, wanted: Key) bool {
        return file.same(wanted.files, self.key.files) and wanted.variant == self.key.variant and
            wanted.form == self.key.form and
            plan.same(abi.Weight, wanted.weights, self.key.weights) and
            plan.same(abi.Part, wanted.parts, self.key.parts);
    }

    pub fn destroy(self: *Model) void {
        self.files.close();
        self.region.deinit();
        var arena = self.arena;
        arena.deinit();
    }
};

/// Equal keys make equal packed bytes.
const Key = struct {
    /// Null: it is not to be found again.
    files: ?[]const file.Identity,
    variant: u32,
    form: interface.FormatId,
    weights: []align(1) const abi.Weight,
    parts: []align(1) const abi.Part,

    /// The identities are the arena's own already.
    fn dupe(self: Key, arena: std.mem.Allocator) error{OutOfMemory}!Key {
        var copy = self;
        copy.weights = try plan.dupe(arena, abi.Weight, self.weights);
        copy.parts = try plan.dupe(arena, abi.Part, self.parts);
        return copy;
    }
};

/// A model that is there already, or else one that is packed now. Whoever obtains it releases it.
pub fn obtain(models: *Shelf(Model), request: Request) Error!*Model {
    const view = request.view;
    var arena: std.heap.ArenaAllocator = .init(page_allocator);
    errdefer arena.deinit();
    const files: Files = try .open(arena.allocator(), view.paths, request.message);
    errdefer files.close();
    try plan.check(view, files.items, request.message);
    const key: Key = .{
        .files = try files.identities(arena.allocator()),
        .variant = request.variant,
        .form = view.form(),
        .weights = view.weights,
        .parts = view.parts,
    };
    if (models.take(key)) |model| {
        files.close();
        arena.deinit();
        return model;
    }
    const model = try pack(request, &arena, files, key);
    // Changed while it was read, a file is neither what it was nor what it is.
    if (key.files) |known| {
        if (!files.are(known)) model.key.files = null;
    }
    models.add(model);
    return model;
}

fn pack(
    request: Request,
    arena: *std.heap.ArenaAllocator,
    files: Files,
    key: Key,
) Error!*Model {
    const view = request.view;
    const kernels = variants.kernels(request.variant).?;
    const a = arena.allocator();
    const model = try a.create(Model);
    const own_key = try key.dupe(a);
    const allocated = try weights.allocate(a, view);
    errdefer allocated.region.deinit();
    var faults: weights.Faults = .{};
    try weights.pack(
        a,
        view,
        allocated.weights,
        kernels,
        files.items,
        request.pool,
        request.threads,
        request.cancel,
        &faults,
    );
    if (request.cancel.load(.monotonic)) return error.Cancelled;
    try report(&faults, request);
    model.* = .{
        .arena = arena.*,
        .key = own_key,
        .files = files,
        .kernels = kernels,
        .weights = allocated.weights,
        .region = allocated.region,
    };
    return model;
}

fn report(faults: *const weights.Faults, request: Request) Error!void {
    if (faults.missing.part()) |index| {
        request.part.* = index;
        request.message.set("its file ends before the tensor does", .{});
        return error.FileChanged;
    }
    if (faults.not_finite.part()) |index| {
        request.part.* = index;
        request.message.set("a value is not finite, or too large for int8 blocks", .{});
        return error.NotFinite;
    }
}
