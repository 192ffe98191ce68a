//! Which buffers an operation of a plan reads and writes.

const abi = @import("abi.zig");

pub const Access = struct {
    /// Read as float32; `abi.none` where there is none.
    reads: [2]u32 = .{ abi.none, abi.none },
    /// A product's source: its matrix decides in which form it is read.
    multiplied: u32 = abi.none,
    writes: [2]u32 = .{ abi.none, abi.none },
    /// Whether what is written gets every form that the buffer has, or float32 alone.
    all_forms: bool = false,

    pub fn of(op: abi.Operation) Access {
        return switch (@as(abi.OperationCode, @enumFromInt(op.code))) {
            .embed => .{ .writes = .{ op.dst, abi.none } },
            .add_position, .add_row, .add_type => .{
                .reads = .{ op.dst, abi.none },
                .writes = .{ op.dst, abi.none },
            },
            .rms_norm => .{
                .reads = .{ op.src, op.residual },
                .writes = .{ op.dst, op.keys },
                .all_forms = true,
            },
            .layer_norm, .activation, .pool => .{
                .reads = .{ op.src, abi.none },
                .writes = .{ op.dst, abi.none },
                .all_forms = true,
            },
            .matmul => .{
                .reads = .{ op.residual, abi.none },
                .multiplied = op.src,
                .writes = .{ op.dst, abi.none },
            },
            .activated_matmul => .{
                .multiplied = op.src,
                .writes = .{ op.dst, abi.none },
                .all_forms = true,
            },
            .quantize => .{
                .reads = .{ op.dst, abi.none },
                .writes = .{ op.dst, abi.none },
                .all_forms = true,
            },
            // Q and K are normed, rotated and scaled where they lie.
            .prepare_heads => .{
                .reads = .{ op.src, abi.none },
                .writes = .{ op.src, op.keys },
            },
            .attention => .{
                .reads = .{ op.src, op.keys },
                .writes = .{ op.dst, abi.none },
                .all_forms = true,
            },
            .output => .{ .reads = .{ op.src, abi.none } },
        };
    }
};
