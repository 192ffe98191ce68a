//! A model of one small layer that uses every operation and every type of tensor: its file, and the
//! plan that runs it. Tests change a field and see what becomes of it.

const std = @import("std");
const abi = @import("../abi.zig");
const plan = @import("../plan.zig");
const Numbers = @import("numbers.zig").Numbers;
const TensorType = @import("../quants/formats.zig").TensorType;

pub const context_length = 16;
pub const token_capacity = 64;
pub const vocab_size = 8;
pub const hidden_size = 32;
pub const embedding_size = 20;

const Shape = struct {
    kind: abi.WeightKind,
    type: TensorType,
    /// Rows of each part; of a vector, its length.
    rows: []const u32,
    columns: u32,

    fn partBytes(self: Shape, rows: u32) u64 {
        if (self.kind == .vector) return self.type.rowBytes(rows);
        return rows * self.type.rowBytes(self.columns);
    }

    fn bytes(self: Shape) usize {
        var size: usize = 0;
        for (self.rows) |rows| size += self.partBytes(rows);
        return size;
    }

    /// Rows of the weight; a vector has one.
    fn total(self: Shape) u32 {
        if (self.kind == .vector) return 1;
        var sum: u32 = 0;
        for (self.rows) |rows| sum += rows;
        return sum;
    }
};

const shapes = [_]Shape{
    .{ .kind = .table, .type = .f32, .rows = &.{vocab_size}, .columns = hidden_size },
    .{ .kind = .table, .type = .f16, .rows = &.{context_length}, .columns = hidden_size },
    .{ .kind = .vector, .type = .f32, .rows = &.{hidden_size}, .columns = hidden_size },
    .{ .kind = .vector, .type = .bf16, .rows = &.{hidden_size}, .columns = hidden_size },
    .{ .kind = .matrix, .type = .q8_0, .rows = &.{ 32, 32 }, .columns = hidden_size },
    .{ .kind = .vector, .type = .f16, .rows = &.{16}, .columns = 16 },
    .{ .kind = .matrix, .type = .f32, .rows = &.{hidden_size}, .columns = hidden_size },
    .{ .kind = .matrix, .type = .bf16, .rows = &.{64}, .columns = hidden_size },
    .{ .kind = .matrix, .type = .q8_0, .rows = &.{hidden_size}, .columns = hidden_size },
    .{ .kind = .matrix, .type = .f16, .rows = &.{embedding_size}, .columns = hidden_size },
    .{ .kind = .vector, .type = .f32, .rows = &.{ 16, 4 }, .columns = embedding_size },
};

pub const part_count = blk: {
    var count = 0;
    for (shapes) |shape| count += shape.rows.len;
    break :blk count;
};

const buffers = [_]abi.Buffer{
    tokens(hidden_size, 0), // 0: the hidden state
    tokens(hidden_size, 2), // 1: normed, in two planes for the last rows of Q, K, V
    tokens(64, 0), // 2: Q, K, V
    .{ .rows = @intFromEnum(abi.RowKind.keys), .width = 16, .float = 1, .quantized = 0 },
    tokens(hidden_size, 0), // 4: attention's result, and a norm's
    tokens(64, 0), // 5: gate and up
    tokens(hidden_size, 2), // 6: activated, in two planes
    texts(hidden_size), // 7: pooled
    texts(embedding_size), // 8: projected
};

fn tokens(width: u32, quantized: u32) abi.Buffer {
    const rows = @intFromEnum(abi.RowKind.tokens);
    return .{ .rows = rows, .width = width, .float = 1, .quantized = quantized };
}

fn texts(width: u32) abi.Buffer {
    const rows = @intFromEnum(abi.RowKind.texts);
    return .{ .rows = rows, .width = width, .float = 1, .quantized = 0 };
}

/// Indices of the operations that tests speak of.
pub const embed_index = 0;
pub const quantize_index = 11;
pub const pool_index = 13;
pub const project_index = 14;

const operations = [_]abi.Operation{
    operation(.embed, .{ .dst = 0, .weight = 0, .number = 2 }),
    operation(.add_position, .{ .dst = 0, .weight = 1 }),
    operation(.add_row, .{ .dst = 0, .weight = 1, .value = 3 }),
    operation(.layer_norm, .{ .src = 0, .dst = 1, .weight = 2, .second = 3, .number = 1e-6 }),
    operation(.matmul, .{ .src = 1, .dst = 2, .weight = 4, .fine_row = 32 }),
    heads(.prepare_heads, .{
        .src = 2,
        .keys = 3,
        .weight = 5,
        .second = 5,
        .number = 1e-6,
        .rope_base = 10_000,
        .query_scale = 0.25,
    }),
    heads(.attention, .{ .src = 2, .keys = 3, .dst = 4, .value = 5 }),
    operation(.matmul, .{ .src = 4, .dst = 0, .weight = 6, .residual = 0 }),
    operation(.rms_norm, .{ .src = 0, .dst = 4, .weight = 2, .number = 1e-6 }),
    operation(.matmul, .{ .src = 4, .dst = 5, .weight = 7 }),
    operation(.activation, .{ .src = 5, .dst = 6, .kind = 1, .flag = 1 }),
    operation(.quantize, .{ .dst = 6 }),
    operation(.matmul, .{ .src = 6, .dst = 0, .weight = 8, .residual = 0 }),
    operation(.pool, .{ .src = 0, .dst = 7, .kind = @intFromEnum(abi.Pooling.mean) }),
    operation(.matmul, .{ .src = 7, .dst = 8, .weight = 9, .second = 10 }),
    operation(.output, .{ .src = 8 }),
};

const Fields = struct {
    src: u32 = abi.none,
    dst: u32 = abi.none,
    weight: u32 = abi.none,
    second: u32 = abi.none,
    residual: u32 = abi.none,
    keys: u32 = abi.none,
    kind: u32 = 0,
    value: u32 = 0,
    flag: u32 = 0,
    fine_row: u32 = 0,
    number: f64 = 0,
    rope_base: f64 = 0,
    query_scale: f64 = 1,
};

fn operation(code: abi.OperationCode, fields: Fields) abi.Operation {
    var result = std.mem.zeroes(abi.Operation);
    result.code = @intFromEnum(code);
    inline for (@typeInfo(Fields).@"struct".fields) |field| {
        @field(result, field.name) = @field(fields, field.name);
    }
    return result;
}

fn heads(code: abi.OperationCode, fields: Fields) abi.Operation {
    var result = operation(code, fields);
    result.head_count = 2;
    result.head_count_kv = 1;
    result.head_size = 16;
    return result;
}

pub const Tiny = struct {
    spec: abi.LoadSpec,
    weights: [shapes.len]abi.Weight,
    parts: [part_count]abi.Part,
    buffers: [buffers.len]abi.Buffer = buffers,
    operations: [operations.len]abi.Operation = operations,
    /// With zero bytes between them.
    paths: []const u8,

    pub const file_size = blk: {
        var size = 0;
        for (shapes) |shape| size += shape.bytes();
        break :blk size;
    };

    pub fn init(paths: []const u8) Tiny {
        var self: Tiny = .{
            .spec = std.mem.zeroes(abi.LoadSpec),
            .weights = undefined,
            .parts = undefined,
            .paths = paths,
        };
        self.spec.size = @sizeOf(abi.LoadSpec);
        self.spec.abi_version = abi.version;
        self.spec.variant = abi.none;
        self.spec.threads = 1;
        self.spec.context_length = context_length;
        self.spec.vocab_size = vocab_size;
        self.spec.type_count = 1;
        self.spec.embedding_size = embedding_size;
        self.spec.hidden_size = hidden_size;
        self.spec.token_capacity = token_capacity;
        var part: u32 = 0;
        var offset: u64 = 0;
        for (shapes, &self.weights) |shape, *weight| {
            weight.* = .{
                .kind = @intFromEnum(shape.kind),
                .part_begin = part,
                .part_count = @intCast(shape.rows.len),
                .rows = shape.total(),
                .columns = shape.columns,
            };
            for (shape.rows) |rows| {
                self.parts[part] = .{
                    .offset = offset,
                    .byte_length = shape.partBytes(rows),
                    .type = @intFromEnum(shape.type),
                    .rows = rows,
                    .file = 0,
                    .reserved = 0,
                };
                offset += self.parts[part].byte_length;
                part += 1;
            }
        }
        return self;
    }

    pub fn view(self: *const Tiny) plan.View {
        return .{
            .spec = self.spec,
            .weights = &self.weights,
            .parts = &self.parts,
            .buffers = &self.buffers,
            .operations = &self.operations,
            .paths = self.paths,
        };
    }

    /// As it crosses the boundary.
    pub fn encode(self: *const Tiny, gpa: std.mem.Allocator) ![]u8 {
        var bytes: std.ArrayList(u8) = .empty;
        errdefer bytes.deinit(gpa);
        var spec = self.spec;
        try bytes.appendNTimes(gpa, 0, @sizeOf(abi.LoadSpec));
        inline for (.{ "weight", "part", "buffer", "operation" }) |name| {
            const array = &@field(self, name ++ "s");
            @field(spec, name ++ "_offset") = @intCast(bytes.items.len);
            @field(spec, name ++ "_count") = array.len;
            try bytes.appendSlice(gpa, std.mem.sliceAsBytes(array));
        }
        spec.paths_offset = @intCast(bytes.items.len);
        spec.paths_length = @intCast(self.paths.len);
        try bytes.appendSlice(gpa, self.paths);
        bytes.items[0..@sizeOf(abi.LoadSpec)].* = std.mem.toBytes(spec);
        return bytes.toOwnedSlice(gpa);
    }

    /// The file's bytes: seeded weights between -1 and 1.
    pub fn file() [file_size]u8 {
        var bytes: [file_size]u8 = undefined;
        var numbers: Numbers = .init(17);
        var at: usize = 0;
        for (shapes) |shape| {
            const end = at + shape.bytes();
            while (at < end) at += fillSome(shape.type, &numbers, bytes[at..end]);
        }
        return bytes;
    }
};

/// Writes one element or block; how many bytes.
fn fillSome(kind: TensorType, numbers: *Numbers, into: []u8) usize {
    const x = @as(f32, @floatFromInt(numbers.int8())) / 128;
    switch (kind) {
        .f32 => into[0..4].* = std.mem.toBytes(x),
        .f16 => into[0..2].* = std.mem.toBytes(@as(f16, @floatCast(x))),
        .bf16 => into[0..2].* = std.mem.toBytes(@as(u32, @bitCast(x)))[2..4].*,
        .q8_0 => {
            into[0..2].* = std.mem.toBytes(@as(f16, 1.0 / 128.0));
            for (into[2..34]) |*byte| byte.* = @bitCast(numbers.int8());
        },
        else => unreachable, // no weight has it
    }
    return kind.blockBytes();
}
