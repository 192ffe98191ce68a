//! Reads and checks a plan once, so that running it needs no checks: every index is in range, every
//! width fits, every operation reads what an earlier one can have written.

const std = @import("std");
const abi = @import("abi.zig");
const File = @import("file.zig").File;
const flow = @import("flow.zig");
const interface = @import("kernels/interface.zig");
const Message = @import("message.zig").Message;
const TensorType = @import("quants/formats.zig").TensorType;

pub const Error = error{
    InvalidPlan,
    /// A file is shorter than when the plan was made.
    FileChanged,
};

const width_max = 1 << 20;
const rows_max = 1 << 24;
const count_max = 1 << 16;
pub const buffer_count_max = 1 << 10;
/// Eight times the widest head of any model we know.
const head_size_max = 1 << 12;
/// A hundred thousand times the largest base of any model we know.
const rope_base_max = 1e12;

/// A load spec taken apart; the slices point into the caller's buffer.
pub const View = struct {
    spec: abi.LoadSpec,
    weights: []align(1) const abi.Weight,
    parts: []align(1) const abi.Part,
    buffers: []align(1) const abi.Buffer,
    operations: []align(1) const abi.Operation,
    /// With zero bytes between them.
    paths: []const u8,

    /// The packed form of all matrices of blocks.
    pub fn form(self: View) interface.FormatId {
        var result: interface.FormatId = .scale_f16;
        if (self.spec.exact_weights == 0) return result;
        for (self.weights) |weight| {
            if (weight.kind != @intFromEnum(abi.WeightKind.matrix)) continue;
            for (self.parts[weight.part_begin..][0..weight.part_count]) |part| {
                const kind: TensorType = @enumFromInt(part.type);
                const own = kind.form() orelse continue;
                if (@intFromEnum(own) > @intFromEnum(result)) result = own;
            }
        }
        return result;
    }
};

pub fn read(bytes: []const u8, message: *Message) Error!View {
    if (bytes.len < @sizeOf(abi.LoadSpec)) return fail(message, "the load spec is too short", .{});
    const spec = std.mem.bytesToValue(abi.LoadSpec, bytes[0..@sizeOf(abi.LoadSpec)]);
    if (spec.size != @sizeOf(abi.LoadSpec) or spec.abi_version != abi.version) {
        return fail(message, "the library has ABI {d}, the caller {d}", .{
            abi.version,
            spec.abi_version,
        });
    }
    return .{
        .spec = spec,
        .weights = try array(abi.Weight, bytes, spec.weight_offset, spec.weight_count, message),
        .parts = try array(abi.Part, bytes, spec.part_offset, spec.part_count, message),
        .buffers = try array(abi.Buffer, bytes, spec.buffer_offset, spec.buffer_count, message),
        .operations = try array(
            abi.Operation,
            bytes,
            spec.operation_offset,
            spec.operation_count,
            message,
        ),
        .paths = try array(u8, bytes, spec.paths_offset, spec.paths_length, message),
    };
}

fn array(
    comptime T: type,
    bytes: []const u8,
    offset: u32,
    count: u32,
    message: *Message,
) Error![]align(1) const T {
    const end = @as(u64, offset) + @as(u64, count) * @sizeOf(T);
    // Bytes need no bound but the buffer: nothing is made for each.
    if ((T != u8 and count > count_max) or end > bytes.len) {
        return fail(message, "the load spec's arrays do not fit its buffer", .{});
    }
    return std.mem.bytesAsSlice(T, bytes[offset..@intCast(end)]);
}

/// An array of a spec, kept beyond it.
pub fn dupe(
    arena: std.mem.Allocator,
    comptime T: type,
    items: []align(1) const T,
) error{OutOfMemory}![]const T {
    const copy = try arena.alloc(T, items.len);
    for (copy, items) |*to, from| to.* = from;
    return copy;
}

/// Whether two arrays of specs say the same.
pub fn same(comptime T: type, a: []align(1) const T, b: []align(1) const T) bool {
    return std.mem.eql(u8, std.mem.sliceAsBytes(a), std.mem.sliceAsBytes(b));
}

/// Checks everything that running the plan relies on.
pub fn check(view: View, files: []const File, message: *Message) Error!void {
    const spec = view.spec;
    if (spec.context_length == 0 or spec.context_length > rows_max) {
        return fail(message, "context length {d} is out of range", .{spec.context_length});
    }
    if (spec.token_capacity < spec.context_length or spec.token_capacity > rows_max) {
        return fail(message, "token capacity {d} is out of range", .{spec.token_capacity});
    }
    // Ids are int32, with a token's type in them.
    const ids = @as(u64, spec.vocab_size) * spec.type_count;
    if (ids == 0 or ids > std.math.maxInt(i32)) {
        return fail(message, "{d} tokens of {d} types are out of range", .{
            spec.vocab_size,
            spec.type_count,
        });
    }
    if (view.operations.len == 0) return fail(message, "the plan has no operations", .{});
    if (view.buffers.len > buffer_count_max) {
        return fail(message, "the plan has {d} buffers", .{view.buffers.len});
    }
    for (view.weights, 0..) |weight, i| try checkWeight(view, weight, i, files, message);
    for (view.buffers, 0..) |buffer, i| try checkBuffer(buffer, i, message);
    for (view.operations, 0..) |operation, i| {
        const last = i + 1 == view.operations.len;
        if (!checkOperation(view, operation, last)) {
            return fail(message, "operation {d} (code {d}) of the plan is malformed", .{
                i,
                operation.code,
            });
        }
    }
    if (flow.firstUnwritten(view)) |i| {
        return fail(message, "operation {d} (code {d}) reads what no operation wrote", .{
            i,
            view.operations[i].code,
        });
    }
}

fn checkBuffer(buffer: abi.Buffer, index: usize, message: *Message) Error!void {
    const kinds = @typeInfo(abi.RowKind).@"enum".fields.len;
    if (buffer.rows >= kinds or buffer.width == 0 or buffer.width > width_max) {
        return fail(message, "buffer {d} has a bad shape", .{index});
    }
    if (buffer.quantized > interface.planes_max) {
        return fail(message, "buffer {d} has {d} int8 planes", .{ index, buffer.quantized });
    }
    const quantized = buffer.quantized != 0;
    if (quantized and (buffer.width % 32 != 0 or buffer.rows == @intFromEnum(abi.RowKind.keys))) {
        return fail(message, "buffer {d} of width {d} cannot be quantised", .{
            index,
            buffer.width,
        });
    }
}

fn checkWeight(
    view: View,
    weight: abi.Weight,
    index: usize,
    files: []const File,
    message: *Message,
) Error!void {
    const end = @as(u64, weight.part_begin) + weight.part_count;
    const kinds = @typeInfo(abi.WeightKind).@"enum".fields.len;
    if (weight.kind >= kinds or weight.part_count == 0 or end > view.parts.len) {
        return fail(message, "weight {d} has a bad kind or bad parts", .{index});
    }
    const wide = weight.kind == @intFromEnum(abi.WeightKind.vector);
    if (weight.columns == 0 or weight.columns > width_max * @as(u32, if (wide) 4 else 1)) {
        return fail(message, "weight {d} has {d} columns", .{ index, weight.columns });
    }
    if (weight.kind == @intFromEnum(abi.WeightKind.table) and weight.part_count != 1) {
        return fail(message, "weight {d} is a table of {d} parts", .{ index, weight.part_count });
    }
    const parts = view.parts[weight.part_begin..@intCast(end)];
    var total: u64 = 0;
    for (parts) |part| {
        const kind = std.enums.fromInt(TensorType, part.type) orelse
            return fail(message, "weight {d} has tensor type {d}", .{ index, part.type });
        const first: TensorType = @enumFromInt(parts[0].type);
        if (if (wide) kind != first else kind.float() != first.float()) {
            return fail(message, "weight {d} mixes tensor types", .{index});
        }
        if (weight.columns % kind.blockColumns() != 0 or (wide and kind.float() == null)) {
            return fail(message, "weight {d} cannot be {t}", .{ index, kind });
        }
        const columns: u64 = if (wide) part.rows else weight.columns;
        const rows: u64 = if (wide) 1 else part.rows;
        if (part.byte_length != rows * kind.rowBytes(columns)) {
            return fail(message, "weight {d} has {d} bytes", .{ index, part.byte_length });
        }
        try checkPlace(part, index, files, message);
        total += part.rows;
    }
    const expected = if (wide) weight.columns else weight.rows;
    const rows_fit = if (wide) weight.rows == 1 else weight.rows >= 1 and weight.rows <= rows_max;
    if (total != expected or !rows_fit) {
        return fail(message, "the parts of weight {d} do not add up", .{index});
    }
}

fn checkPlace(part: abi.Part, index: usize, files: []const File, message: *Message) Error!void {
    if (part.file >= files.len) {
        return fail(message, "weight {d} is in file {d} of {d}", .{ index, part.file, files.len });
    }
    const size = files[part.file].size;
    if (part.offset > size or part.byte_length > size - part.offset) {
        message.set("weight {d} lies outside its file", .{index});
        return error.FileChanged;
    }
}

fn checkOperation(view: View, op: abi.Operation, last: bool) bool {
    const code = std.enums.fromInt(abi.OperationCode, op.code) orelse return false;
    if (last != (code == .output)) return false;
    if (!isNumber(op.number) or !isNumber(op.query_scale)) return false;
    return switch (code) {
        .embed, .add_position, .add_row, .add_type => checkLookUp(view, op, code),
        .rms_norm => checkRmsNorm(view, op),
        .layer_norm => isVector(view, op.weight, widthOf(view, op.src)) and
            isVector(view, op.second, widthOf(view, op.src)) and hasFloat(view, op.src) and
            sameRows(view, op.src, op.dst) and sameWidth(view, op.src, op.dst),
        .matmul => checkMatmul(view, op),
        .activated_matmul => checkActivatedMatmul(view, op),
        .quantize => op.src == abi.none and hasFloat(view, op.dst) and
            view.buffers[op.dst].quantized != 0,
        .prepare_heads => checkHeads(view, op) and
            (op.weight == abi.none or isVector(view, op.weight, op.head_size)) and
            (op.second == abi.none or isVector(view, op.second, op.head_size)) and
            (op.rope_base == 0 or
                (op.rope_base > 1 and op.rope_base <= rope_base_max and op.head_size % 2 == 0)),
        .attention => checkHeads(view, op) and isBuffer(view, op.dst) and
            sameRows(view, op.src, op.dst) and
            view.buffers[op.dst].width == op.head_count * op.head_size,
        .activation => checkActivation(view, op),
        .pool => hasFloat(view, op.src) and isBuffer(view, op.dst) and
            sameWidth(view, op.src, op.dst) and rowsAre(view, op.src, .tokens) and
            rowsAre(view, op.dst, .texts) and widthOf(view, op.src) == view.spec.hidden_size and
            std.enums.fromInt(abi.Pooling, op.kind) != null and
            op.kind != @intFromEnum(abi.Pooling.none) and view.buffers[op.dst].float != 0,
        .output => hasFloat(view, op.src) and rowsAre(view, op.src, .texts) and
            widthOf(view, op.src) == view.spec.embedding_size,
    };
}

fn checkLookUp(view: View, op: abi.Operation, code: abi.OperationCode) bool {
    if (!hasFloat(view, op.dst) or !rowsAre(view, op.dst, .tokens)) return false;
    if (op.src != abi.none or op.weight >= view.weights.len) return false;
    const table = view.weights[op.weight];
    if (table.kind != @intFromEnum(abi.WeightKind.table)) return false;
    const rows: u64 = switch (code) {
        .embed => view.spec.vocab_size,
        .add_position => @as(u64, view.spec.context_length) + op.value,
        .add_type => view.spec.type_count,
        else => @as(u64, op.value) + 1,
    };
    return table.columns == widthOf(view, op.dst) and rows <= table.rows;
}

fn checkRmsNorm(view: View, op: abi.Operation) bool {
    const width = widthOf(view, op.src);
    if (!hasFloat(view, op.src) or !isVector(view, op.weight, width)) return false;
    if (!sameRows(view, op.src, op.dst) or !sameWidth(view, op.src, op.dst)) return false;
    if (op.residual != abi.none) {
        if (!hasFloat(view, op.residual) or !sameWidth(view, op.src, op.residual)) return false;
        if (!sameRows(view, op.src, op.residual)) return false;
    }
    if (op.keys == abi.none) return op.second == abi.none;
    // The second norm reads what the first wrote, row by row.
    return op.keys != op.dst and hasFloat(view, op.dst) and isVector(view, op.second, width) and
        sameRows(view, op.src, op.keys) and sameWidth(view, op.src, op.keys);
}

fn checkActivatedMatmul(view: View, op: abi.Operation) bool {
    if (std.enums.fromInt(abi.ActivationKind, op.kind) == null) return false;
    if (op.value != 0 or op.residual != abi.none or !checkProduct(view, op)) return false;
    const width = widthOf(view, op.dst);
    const times: u32 = if (op.flag != 0) 2 else 1;
    return width % interface.activated_columns == 0 and
        view.weights[op.weight].rows == times * width;
}

fn checkMatmul(view: View, op: abi.Operation) bool {
    if (!hasFloat(view, op.dst) or !checkProduct(view, op)) return false;
    const rows = view.weights[op.weight].rows;
    if (@as(u64, op.value) + rows > widthOf(view, op.dst)) return false;
    return op.residual == abi.none or
        (hasFloat(view, op.residual) and sameWidth(view, op.residual, op.dst) and
            sameRows(view, op.residual, op.dst));
}

/// The matrix and what it is multiplied with.
fn checkProduct(view: View, op: abi.Operation) bool {
    if (op.weight >= view.weights.len) return false;
    if (!sameRows(view, op.src, op.dst) or op.src == op.dst) return false;
    const matrix = view.weights[op.weight];
    if (matrix.kind != @intFromEnum(abi.WeightKind.matrix)) return false;
    const src = view.buffers[op.src];
    const quantized = isInt8(view, matrix);
    if (if (quantized) src.quantized == 0 else src.float == 0) return false;
    if (matrix.columns != src.width or op.fine_row > matrix.rows) return false;
    if (op.fine_row < matrix.rows) {
        if (op.fine_row % interface.lanes != 0) return false;
        if (quantized and src.quantized != interface.planes_max) return false;
    }
    return op.second == abi.none or isVector(view, op.second, matrix.rows);
}

/// Whether a matrix is packed as int8, and multiplied with that.
pub fn isInt8(view: View, matrix: abi.Weight) bool {
    const kind: TensorType = @enumFromInt(view.parts[matrix.part_begin].type);
    return kind.float() == null;
}

fn checkHeads(view: View, op: abi.Operation) bool {
    if (!hasFloat(view, op.src) or !rowsAre(view, op.src, .tokens)) return false;
    if (!hasFloat(view, op.keys) or !rowsAre(view, op.keys, .keys)) return false;
    if (op.head_size == 0 or op.head_size > head_size_max) return false;
    for ([_]u32{ op.head_count, op.head_count_kv }) |count| {
        if (count == 0 or count > width_max) return false;
    }
    if (op.head_count % op.head_count_kv != 0) return false;
    const heads = @as(u64, op.head_count) + 2 * @as(u64, op.head_count_kv);
    return heads * op.head_size == widthOf(view, op.src) and
        @as(u64, op.head_count_kv) * op.head_size == widthOf(view, op.keys);
}

fn checkActivation(view: View, op: abi.Operation) bool {
    if (std.enums.fromInt(abi.ActivationKind, op.kind) == null) return false;
    if (!hasFloat(view, op.src) or !isBuffer(view, op.dst)) return false;
    if (!sameRows(view, op.src, op.dst)) return false;
    const times: u32 = if (op.flag != 0) 2 else 1;
    return widthOf(view, op.src) == times * widthOf(view, op.dst) and
        (op.flag == 0 or op.src != op.dst);
}

/// Finite as float32, which is how kernels read it.
fn isNumber(x: f64) bool {
    return std.math.isFinite(@as(f32, @floatCast(x)));
}

fn isBuffer(view: View, index: u32) bool {
    return index < view.buffers.len;
}

fn hasFloat(view: View, index: u32) bool {
    return isBuffer(view, index) and view.buffers[index].float != 0;
}

fn widthOf(view: View, index: u32) u32 {
    return if (isBuffer(view, index)) view.buffers[index].width else 0;
}

fn sameWidth(view: View, a: u32, b: u32) bool {
    return isBuffer(view, a) and isBuffer(view, b) and widthOf(view, a) == widthOf(view, b);
}

fn sameRows(view: View, a: u32, b: u32) bool {
    return isBuffer(view, a) and isBuffer(view, b) and
        view.buffers[a].rows == view.buffers[b].rows and
        !rowsAre(view, a, .keys);
}

fn rowsAre(view: View, index: u32, kind: abi.RowKind) bool {
    return isBuffer(view, index) and view.buffers[index].rows == @intFromEnum(kind);
}

fn isVector(view: View, index: u32, length: u32) bool {
    if (index >= view.weights.len or length == 0) return false;
    const weight = view.weights[index];
    return weight.kind == @intFromEnum(abi.WeightKind.vector) and weight.columns == length;
}

fn fail(message: *Message, comptime format: []const u8, args: anytype) error{InvalidPlan} {
    message.set(format, args);
    return error.InvalidPlan;
}
