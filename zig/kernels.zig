//! One CPU variant: this file is compiled once for each, with that CPU's features, and offers a
//! single symbol; and the trial of tiles, if the CPU has them.

const interface = @import("kernels/interface.zig");
const options = @import("options");
const simd = @import("kernels/simd.zig");
const simd_int8 = @import("kernels/simd_int8.zig");
const simd_tiles = @import("kernels/simd_tiles.zig");

const attention = @import("kernels/attention.zig");
const encode = @import("quantize/encode.zig");
const heads = @import("kernels/heads.zig");
const matmul_float = @import("kernels/matmul_float.zig");
const matmul_int8 = @import("kernels/matmul_int8.zig");
const matmul_tiles = @import("kernels/matmul_tiles.zig");
const pack = @import("kernels/pack.zig");
const pooling = @import("kernels/pooling.zig");
const quantize = @import("kernels/quantize.zig");
const rows = @import("kernels/rows.zig");
const scores = @import("kernels/scores.zig");
const tables = @import("kernels/tables.zig");

const Int8Table = @FieldType(interface.Kernels, "matmul_int8");
const FloatTable = @FieldType(interface.Kernels, "matmul_float");

fn int8Table() Int8Table {
    var table: Int8Table = undefined;
    for (&table, 1..) |*formats, planes| for (formats, 0..) |*entry, i| {
        const id: interface.FormatId = @enumFromInt(i);
        entry.* = if (simd_tiles.available)
            matmul_tiles.Matmul(id.format(), planes, simd_tiles.Tiles).run
        else
            matmul_int8.Matmul(id.format(), planes).run;
    };
    return table;
}

fn floatTable() FloatTable {
    var table: FloatTable = undefined;
    for (&table, 0..) |*entry, i| entry.* = matmul_float.Matmul(@enumFromInt(i)).run;
    return table;
}

const kernels: interface.Kernels = .{
    .weight_bias = simd_int8.weight_bias,
    .dot_bias = simd_int8.dot_bias,
    .weight_columns = simd_int8.weight_columns,
    .matmul_int8 = int8Table(),
    .matmul_float = floatTable(),
    .rms_norm = rows.rmsNorm,
    .layer_norm = rows.layerNorm,
    .activation = rows.activation,
    .quantize = quantize.rows,
    .prepare_heads = heads.prepareHeads,
    .attention = attention.attention,
    .mean = pooling.mean,
    .emit = pooling.emit,
    .look_up = tables.lookUp,
    .encode = encode.encode,
    .pack_int8 = pack.packInt8,
    .pack_float = pack.packFloat,
    .score = .{ scores.float32, scores.int8, scores.binary },
};

comptime {
    @export(&kernels, .{ .name = "ggufembed_kernels_" ++ options.variant, .visibility = .hidden });
    if (simd_tiles.available) {
        @export(&simd_tiles.works, .{ .name = "ggufembed_tiles_work", .visibility = .hidden });
    }
}
