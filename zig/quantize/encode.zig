//! Rows of float32 to the bytes of a tensor format, with the least squared error that a search
//! finds. A row for each format.

const group = @import("group.zig");
const interface = @import("../kernels/interface.zig");
const simd = @import("../kernels/simd.zig");
const TensorType = @import("../quants/formats.zig").TensorType;

const Args = interface.Encode;
const F32 = group.F32;
const lanes = group.lanes;

/// The file of a block format: `encode` gives something that is not finite in a lane whose block
/// has a scale too large for a float16.
fn Encoder(comptime format: TensorType) type {
    return switch (format) {
        .f32, .f16, .bf16 => comptime unreachable,
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

pub fn encode(args: *const Args) callconv(.c) bool {
    return switch (args.format) {
        .f32 => eachNumber(f32, args),
        .f16 => eachNumber(f16, args),
        .bf16 => eachNumber(u16, args),
        inline else => |format| eachBlock(format, args),
    };
}

fn eachBlock(comptime format: TensorType, args: *const Args) bool {
    const columns = format.Block().?.columns;
    const bytes = format.Block().?.bytes;
    const blocks = args.count / columns;
    var largest = simd.splat(0);
    var first: usize = 0;
    while (first < blocks) : (first += lanes) {
        const count: usize = @min(lanes, blocks - first);
        var x: [columns]F32 = undefined;
        group.load(columns, args.src + first * columns, count, &x);
        var block: group.Block(bytes) = .{};
        largest = simd.largerMagnitude(largest, Encoder(format).encode(&x, &block));
        block.store(args.dst + first * bytes, count);
    }
    return simd.isFinite(simd.maxMagnitudes(1, .{largest})[0]);
}

/// To nearest, ties to even; BF16 as the upper halves of float32.
fn eachNumber(comptime T: type, args: *const Args) bool {
    var largest = simd.splat(0);
    var i: usize = 0;
    while (i < args.count) : (i += lanes) {
        const n: usize = @min(lanes, args.count - i);
        const x = if (n == lanes) simd.load(args.src + i) else simd.loadPart(args.src + i, n);
        const stored: @Vector(lanes, T) = switch (T) {
            f32 => x,
            f16 => @floatCast(x),
            u16 => upperHalf(x),
            else => comptime unreachable,
        };
        const back: F32 = switch (T) {
            f32, f16 => stored,
            u16 => @bitCast(@as(@Vector(lanes, u32), stored) << @splat(16)),
            else => comptime unreachable,
        };
        largest = simd.largerMagnitude(largest, back);
        const bytes: [lanes * @sizeOf(T)]u8 = @bitCast(stored);
        @memcpy(args.dst[i * @sizeOf(T) ..][0 .. n * @sizeOf(T)], bytes[0 .. n * @sizeOf(T)]);
    }
    return simd.isFinite(simd.maxMagnitudes(1, .{largest})[0]);
}

inline fn upperHalf(x: F32) @Vector(lanes, u16) {
    const bits: @Vector(lanes, u32) = @bitCast(x);
    const odd = bits >> @splat(16) & @as(@Vector(lanes, u32), @splat(1));
    return @truncate((bits +% @as(@Vector(lanes, u32), @splat(0x7fff)) +% odd) >> @splat(16));
}
