//! The tensor types that the engine knows, by GGUF's numbers, and the file of each block format.

const interface = @import("../kernels/interface.zig");

pub const TensorType = enum(u32) {
    f32 = 0,
    f16 = 1,
    q4_0 = 2,
    q4_1 = 3,
    q5_0 = 6,
    q5_1 = 7,
    q8_0 = 8,
    q2_k = 10,
    q3_k = 11,
    q4_k = 12,
    q5_k = 13,
    q6_k = 14,
    iq4_nl = 20,
    iq4_xs = 23,
    bf16 = 30,

    /// The file of a block format: `columns` of a block and its `bytes`; `read`, which gives the
    /// block's i-th 32 columns; and `form`, the packed form that holds these without rounding.
    pub fn Block(comptime self: TensorType) ?type {
        return switch (self) {
            .f32, .f16, .bf16 => null,
            .q4_0 => @import("q4_0.zig"),
            .q4_1 => @import("q4_1.zig"),
            .q5_0 => @import("q5_0.zig"),
            .q5_1 => @import("q5_1.zig"),
            .q8_0 => @import("q8_0.zig"),
            .q2_k => @import("q2_k.zig"),
            .q3_k => @import("q3_k.zig"),
            .q4_k => @import("q4_k.zig"),
            .q5_k => @import("q5_k.zig"),
            .q6_k => @import("q6_k.zig"),
            .iq4_nl => @import("iq4_nl.zig"),
            .iq4_xs => @import("iq4_xs.zig"),
        };
    }

    /// Null: of blocks, which are packed as int8.
    pub fn float(self: TensorType) ?interface.FloatId {
        return switch (self) {
            .f32 => .f32,
            .f16 => .f16,
            .bf16 => .bf16,
            else => null,
        };
    }

    /// Of blocks, the packed form that holds them without rounding.
    pub fn form(self: TensorType) ?interface.FormatId {
        return switch (self) {
            .f32, .f16, .bf16 => null,
            inline else => |kind| kind.Block().?.form,
        };
    }

    /// What the number of columns is a multiple of.
    pub fn blockColumns(self: TensorType) u32 {
        return switch (self) {
            .f32, .f16, .bf16 => 1,
            inline else => |kind| kind.Block().?.columns,
        };
    }

    /// Of a block, or of a single number.
    pub fn blockBytes(self: TensorType) u32 {
        return switch (self) {
            .f32, .f16, .bf16 => self.float().?.bytes(),
            inline else => |kind| kind.Block().?.bytes,
        };
    }

    pub fn rowBytes(self: TensorType, columns: u64) u64 {
        return columns / self.blockColumns() * self.blockBytes();
    }
};
