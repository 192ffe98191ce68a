//! What all block formats are made of: 32 columns, in two halves of 16.

const std = @import("std");

pub const columns = 32;

/// `w = scale · q + minimum`, with a scale and a minimum for each half. The products are exact in
/// float32, so it is no matter whether they are rounded before the sum.
pub const Piece = struct {
    q: @Vector(columns, i8),
    scale: [2]f32,
    /// -0 leaves any sum as it is, 0 too.
    minimum: [2]f32 = @splat(-0.0),
};

pub const Bytes = @Vector(columns, u8);

/// A float16 of the file.
pub inline fn float(from: *const [2]u8) f16 {
    return @bitCast(std.mem.readInt(u16, from, .little));
}

/// Sixteen low halves of bytes, and then the high ones.
pub inline fn nibbles(from: *const [16]u8) Bytes {
    const both: @Vector(16, u8) = from.*;
    const low: [16]u8 = both & @as(@Vector(16, u8), @splat(15));
    const high: [16]u8 = both >> @splat(4);
    return low ++ high;
}

/// Bits `at … at + n` of each byte.
pub inline fn bits(bytes: Bytes, at: usize, comptime n: u3) Bytes {
    const shift: @Vector(columns, u3) = @splat(@intCast(at));
    return bytes >> shift & @as(Bytes, @splat((1 << n) - 1));
}

/// Where the bit of a column is set, `value`, and otherwise 0; the first column has the lowest bit.
pub inline fn whereSet(mask: *const [4]u8, comptime value: u8) Bytes {
    const set: @Vector(columns, bool) = @bitCast(std.mem.readInt(u32, mask, .little));
    return @select(u8, set, @as(Bytes, @splat(value)), @as(Bytes, @splat(0)));
}

/// `bytes - offset`
pub inline fn centred(bytes: Bytes, comptime offset: u8) @Vector(columns, i8) {
    return @bitCast(bytes -% @as(Bytes, @splat(offset)));
}

/// One scale for all columns.
pub inline fn everywhere(x: f32) [2]f32 {
    return @splat(x);
}

/// Of a row of blocks, the i-th 32 columns.
pub inline fn of(comptime Block: type, row: [*]const u8, i: usize) Piece {
    const pieces = Block.columns / columns;
    return Block.read(row[i / pieces * Block.bytes ..][0..Block.bytes], i % pieces);
}
