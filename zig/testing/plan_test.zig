//! Plans that the engine must refuse: one that is right, with one thing wrong at a time, and then
//! with anything wrong.

const std = @import("std");
const abi = @import("../abi.zig");
const File = @import("../file.zig").File;
const fixtures = @import("fixture.zig");
const Message = @import("../message.zig").Message;
const Numbers = @import("numbers.zig").Numbers;
const plan = @import("../plan.zig");
const tiny = @import("tiny.zig");

const testing = std.testing;
const Tiny = tiny.Tiny;

/// Never read.
const one_file = [_]File{.{ .fd = -1, .size = Tiny.file_size }};

fn check(model: *const Tiny) plan.Error!void {
    var message: Message = .{};
    return plan.check(model.view(), &one_file, &message);
}

/// Sets one field of a right plan and expects a refusal.
fn expectRefused(
    comptime array: []const u8,
    index: usize,
    comptime field: []const u8,
    value: anytype,
) !void {
    var model: Tiny = .init("");
    try check(&model);
    @field(@field(model, array)[index], field) = value;
    testing.expectError(error.InvalidPlan, check(&model)) catch |err| {
        std.debug.print("{s}[{d}].{s} = {any}\n", .{ array, index, field, value });
        return err;
    };
}

test "limits of the model" {
    const limits = .{
        .{ "context_length", 0 },
        .{ "context_length", tiny.token_capacity + 1 },
        .{ "context_length", tiny.context_length + 1 }, // more than the position table has
        .{ "token_capacity", tiny.context_length - 1 },
        .{ "token_capacity", std.math.maxInt(u32) },
        .{ "vocab_size", tiny.vocab_size + 1 },
        .{ "type_count", 0 },
        .{ "type_count", std.math.maxInt(u32) },
        .{ "embedding_size", tiny.embedding_size + 1 },
        .{ "hidden_size", tiny.hidden_size - 1 },
    };
    inline for (limits) |limit| {
        var model: Tiny = .init("");
        @field(model.spec, limit[0]) = limit[1];
        try testing.expectError(error.InvalidPlan, check(&model));
    }
    // A type for each row of the table, and one more.
    var typed: Tiny = .init("");
    typed.operations[2].code = @intFromEnum(abi.OperationCode.add_type);
    typed.operations[2].value = 0;
    typed.spec.type_count = tiny.context_length;
    try check(&typed);
    typed.spec.type_count += 1;
    try testing.expectError(error.InvalidPlan, check(&typed));
    const view = (Tiny.init("")).view();
    var message: Message = .{};
    var empty = view;
    empty.operations = &.{};
    try testing.expectError(error.InvalidPlan, plan.check(empty, &one_file, &message));
    var crowded = view;
    const many: [plan.buffer_count_max + 1]abi.Buffer = @splat(view.buffers[0]);
    crowded.buffers = &many;
    try testing.expectError(error.InvalidPlan, plan.check(crowded, &one_file, &message));
}

test "weights: kinds, shapes and parts" {
    try expectRefused("weights", 0, "kind", 3);
    try expectRefused("weights", 0, "part_begin", 100);
    try expectRefused("weights", 0, "part_begin", std.math.maxInt(u32));
    try expectRefused("weights", 0, "part_count", 0);
    try expectRefused("weights", 1, "part_count", 2);
    try expectRefused("weights", 4, "part_count", 1);
    try expectRefused("weights", 4, "rows", 63);
    try expectRefused("weights", 4, "columns", 0);
    try expectRefused("weights", 4, "columns", 48);
    try expectRefused("weights", 2, "rows", 2);
    try expectRefused("weights", 2, "columns", 31);
    try expectRefused("parts", 0, "type", 9);
    try expectRefused("parts", 4, "type", 0);
    try expectRefused("parts", 0, "byte_length", 1023);
    try expectRefused("parts", 0, "rows", 9);
    try expectRefused("parts", 10, "type", 8); // no vector is quantised

    // A matrix of no rows.
    var model: Tiny = .init("");
    model.weights[8].rows = 0;
    model.parts[9].rows = 0;
    model.parts[9].byte_length = 0;
    model.operations[12].weight = 6;
    try testing.expectError(error.InvalidPlan, check(&model));
    // A table of two parts that adds up.
    model = .init("");
    model.weights[0].part_count = 2;
    model.weights[0].rows += tiny.context_length;
    model.parts[1].type = model.parts[0].type;
    model.parts[1].byte_length *= 2;
    model.weights[1].part_begin = 0;
    model.weights[1].rows = tiny.vocab_size;
    try testing.expectError(error.InvalidPlan, check(&model));
}

test "parts outside the file" {
    const outside = [_]u64{
        Tiny.file_size - 1023,
        Tiny.file_size + 1,
        1 << 63,
        std.math.maxInt(u64),
        std.math.maxInt(u64) - 1023,
    };
    for (outside) |offset| {
        var model: Tiny = .init("");
        model.parts[0].offset = offset;
        try testing.expectError(error.FileChanged, check(&model));
    }
    var model: Tiny = .init("");
    model.parts[0].offset = Tiny.file_size - 1024;
    try check(&model);
}

test "buffers: shapes and forms" {
    try expectRefused("buffers", 0, "rows", 3);
    try expectRefused("buffers", 0, "rows", 1);
    try expectRefused("buffers", 3, "rows", 0);
    try expectRefused("buffers", 3, "quantized", 1);
    try expectRefused("buffers", 7, "rows", 0);
    for (0..9) |i| {
        try expectRefused("buffers", i, "width", 0);
        try expectRefused("buffers", i, "width", 24);
        try expectRefused("buffers", i, "width", 1 << 21);
        if (i != 1) try expectRefused("buffers", i, "float", 0);
    }
    try expectRefused("buffers", 1, "quantized", 0);
    try expectRefused("buffers", 1, "quantized", 1); // some rows need two planes
    try expectRefused("buffers", 6, "quantized", 0);
    try expectRefused("buffers", 6, "quantized", 3);
}

test "operations: every index must be there" {
    const model: Tiny = .init("");
    for (model.operations, 0..) |op, i| {
        try expectRefused("operations", i, "code", 99);
        inline for (.{ "src", "dst", "weight", "residual", "keys" }) |field| {
            if (@field(op, field) != abi.none) {
                try expectRefused("operations", i, field, 1000);
                try expectRefused("operations", i, field, std.math.maxInt(u32) - 1);
            }
        }
        if (op.second != abi.none) try expectRefused("operations", i, "second", 1000);
        try expectRefused("operations", i, "number", std.math.nan(f64));
        try expectRefused("operations", i, "number", 1e39);
        try expectRefused("operations", i, "query_scale", std.math.inf(f64));
    }
}

test "operations: what one of them cannot do" {
    try expectRefused("operations", 0, "weight", 2); // a vector is no table
    try expectRefused("operations", 0, "dst", 2);
    try expectRefused("operations", 1, "value", 1); // beyond the last position
    try expectRefused("operations", tiny.embed_index, "src", 12345);
    try expectRefused("operations", tiny.quantize_index, "src", 12345);
    try expectRefused("operations", 2, "value", tiny.context_length);
    try expectRefused("operations", 3, "weight", 5);
    try expectRefused("operations", 3, "second", abi.none);
    try expectRefused("operations", 3, "dst", 7);
    try expectRefused("operations", 4, "weight", 2);
    try expectRefused("operations", 4, "value", 1);
    try expectRefused("operations", 4, "second", 5);
    try expectRefused("operations", 4, "src", 0); // not quantised
    try expectRefused("operations", 4, "fine_row", 40); // within a group of rows
    try expectRefused("operations", 4, "fine_row", 80);
    try expectRefused("operations", 4, "dst", 7);
    try expectRefused("operations", 4, "residual", 0);
    try expectRefused("operations", 7, "dst", 4); // onto its own source
    try expectRefused("operations", 10, "kind", 4);
    try expectRefused("operations", 10, "flag", 0);
    try expectRefused("operations", 11, "dst", 0);
    try expectRefused("operations", 13, "kind", 0);
    try expectRefused("operations", 13, "kind", 4);
    try expectRefused("operations", 13, "dst", 4);
    try expectRefused("operations", 15, "src", 7);
    try expectRefused("operations", 15, "code", @intFromEnum(abi.OperationCode.matmul));
    try expectRefused("operations", 3, "code", @intFromEnum(abi.OperationCode.pool));
    for ([_]usize{ 5, 6 }) |i| {
        try expectRefused("operations", i, "head_count", 0);
        try expectRefused("operations", i, "head_count", 3);
        try expectRefused("operations", i, "head_count_kv", 0);
        try expectRefused("operations", i, "head_count_kv", 2);
        try expectRefused("operations", i, "head_size", 0);
        try expectRefused("operations", i, "head_size", 8);
        try expectRefused("operations", i, "keys", 4);
    }
    for ([_]f64{ -1, 1, 0.5, 1e13, std.math.nan(f64) }) |base| {
        try expectRefused("operations", 5, "rope_base", base);
    }
    try expectRefused("operations", 5, "weight", 2);
}

test "joined operations: what they cannot do" {
    const Joined = struct {
        /// Operation 8 with a second norm, 9 and 10 as one.
        fn init() Tiny {
            var model: Tiny = .init("");
            model.operations[8].keys = 1;
            model.operations[8].second = 2;
            model.operations[9] = model.operations[10];
            model.operations[9].code = @intFromEnum(abi.OperationCode.activated_matmul);
            model.operations[9].src = 4;
            model.operations[9].weight = 7;
            model.operations[10] = model.operations[11];
            return model;
        }

        fn expectRefusedWith(index: usize, comptime field: []const u8, value: u32) !void {
            var model = init();
            @field(model.operations[index], field) = value;
            try testing.expectError(error.InvalidPlan, check(&model));
        }
    };
    var model = Joined.init();
    try check(&model);
    try Joined.expectRefusedWith(8, "keys", 4); // onto what it reads
    try Joined.expectRefusedWith(8, "keys", 2); // of another width
    try Joined.expectRefusedWith(8, "keys", 7); // with a row for each text
    try Joined.expectRefusedWith(8, "keys", 1000);
    try Joined.expectRefusedWith(8, "keys", abi.none);
    try Joined.expectRefusedWith(8, "second", abi.none);
    try Joined.expectRefusedWith(8, "second", 5);
    try Joined.expectRefusedWith(9, "kind", 4);
    try Joined.expectRefusedWith(9, "flag", 0);
    try Joined.expectRefusedWith(9, "value", 32);
    try Joined.expectRefusedWith(9, "residual", 0);
    try Joined.expectRefusedWith(9, "second", 5);
    try Joined.expectRefusedWith(9, "weight", 8);
    try Joined.expectRefusedWith(9, "src", 3);
    try Joined.expectRefusedWith(9, "dst", 4); // onto its own source
    try Joined.expectRefusedWith(9, "dst", 7);
    model = Joined.init();
    model.buffers[6].width = 48; // no whole blocks
    try testing.expectError(error.InvalidPlan, check(&model));
}

test "operations read only what was written, in the form it was written" {
    const swaps = [_][2]usize{
        .{ 0, 1 }, // added before there is anything
        .{ 3, 4 }, // multiplied before it is normed
        .{ 5, 6 }, // attended to before its keys are there
        .{ 9, 10 },
        .{ 13, 14 },
    };
    for (swaps) |swap| {
        var model: Tiny = .init("");
        std.mem.swap(abi.Operation, &model.operations[swap[0]], &model.operations[swap[1]]);
        try testing.expectError(error.InvalidPlan, check(&model));
    }
    try expectRefused("operations", 7, "src", 6);
    try expectRefused("operations", 7, "residual", 6);
    // The quantised form of a buffer that was overwritten since is of no use.
    var model: Tiny = .init("");
    model.operations[7].dst = 1;
    model.operations[9].weight = 4;
    model.operations[9].src = 1;
    try testing.expectError(error.InvalidPlan, check(&model));
    model.operations[8] = model.operations[11];
    model.operations[8].dst = 1;
    try check(&model);
}

test "a load spec that is cut or says something else of itself" {
    const gpa = testing.allocator;
    var message: Message = .{};
    const model: Tiny = .init("weights");
    const bytes = try model.encode(gpa);
    defer gpa.free(bytes);
    const view = try plan.read(bytes, &message);
    try testing.expectEqualStrings("weights", view.paths);
    try testing.expectEqual(model.operations.len, view.operations.len);
    for (0..bytes.len) |length| {
        try testing.expectError(error.InvalidPlan, plan.read(bytes[0..length], &message));
    }
    for ([_]usize{ 0, 4 }) |at| {
        bytes[at] +%= 1;
        try testing.expectError(error.InvalidPlan, plan.read(bytes, &message));
        bytes[at] -%= 1;
    }
}

/// A mutation that has a chance: a small number, a neighbour, a limit, or anything.
fn mutate(numbers: *Numbers, words: []align(1) u32) void {
    const word = &words[numbers.below(words.len)];
    word.* = switch (numbers.below(6)) {
        0 => @intCast(numbers.below(20)),
        1 => word.* +% 1,
        2 => word.* -% 1,
        3 => abi.none,
        4 => word.* *% 2,
        else => @truncate(numbers.next()),
    };
}

test "of plans with anything wrong, those that are accepted run" {
    const gpa = testing.allocator;
    const file = Tiny.file();
    var fixture: fixtures.Fixture = undefined;
    try fixture.init(&file);
    defer fixture.deinit();
    const original = try fixture.plan.encode(gpa);
    defer gpa.free(original);
    const bytes = try gpa.dupe(u8, original);
    defer gpa.free(bytes);
    const paths_offset = original.len - fixture.plan.paths.len;
    var numbers: Numbers = .init(3);
    var accepted: usize = 0;
    for (0..400) |_| {
        @memcpy(bytes, original);
        const words = std.mem.bytesAsSlice(u32, bytes[0 .. paths_offset / 4 * 4]);
        for (0..1 + numbers.below(2)) |_| mutate(&numbers, words);
        if (!isAccepted(bytes)) continue;
        accepted += 1;
        try runAccepted(bytes);
    }
    try testing.expect(accepted > 100);
}

/// Accepted, and small enough to try.
fn isAccepted(bytes: []const u8) bool {
    var message: Message = .{};
    const view = plan.read(bytes, &message) catch return false;
    plan.check(view, &one_file, &message) catch return false;
    for (view.buffers) |buffer| if (buffer.width > 1 << 10) return false;
    return view.spec.token_capacity <= 256 and view.spec.threads <= 4;
}

fn runAccepted(bytes: []const u8) !void {
    const loaded = try fixtures.finish(try fixtures.submitSpec(bytes));
    if (loaded.taken.status != .ok) return;
    const engine = loaded.taken.engine;
    defer fixtures.unload(engine) catch @panic("an engine does not go away");
    for ([_]abi.EmbedSpec{ fixtures.by_text, fixtures.by_token }) |spec| {
        const ticket = fixtures.submit(null, engine, spec) catch continue;
        const done = try fixtures.finish(ticket);
        try testing.expect(done.taken.status == .ok or done.taken.status == .not_finite);
    }
}
