//! What follows a matrix product: bias, residual, store.

const interface = @import("interface.zig");
const simd = @import("simd.zig");
const vectors = @import("vectors.zig");

const Output = interface.Output;
const lanes = simd.lanes;
const F32 = simd.F32;

/// Fetches what `put` will add to a tile: nobody has read it for some operations, and a tile's end
/// would wait for it.
pub inline fn prepare(
    comptime tokens: usize,
    comptime groups: usize,
    out: *const Output,
    token: usize,
    group: usize,
) void {
    const residual = out.residual orelse return;
    const first = token * out.stride + group * lanes - out.row_begin;
    inline for (0..tokens) |t| inline for (0..groups) |g| {
        @prefetch(residual + first + t * out.stride + g * lanes, .{});
    };
}

/// Stores a tile: 16 outputs for each token from `token` on and each group of rows from `group` on.
/// What there is to do is asked once for all of it; asked for each vector, it took a thirtieth of
/// a product's time.
pub inline fn put(
    comptime tokens: usize,
    comptime groups: usize,
    out: *const Output,
    products: [tokens][groups]F32,
    token: usize,
    group: usize,
) void {
    if ((group + groups) * lanes > out.rows) {
        const all: [tokens * groups]F32 = @bitCast(products);
        return putPart(&all, tokens, groups, out, token, group);
    }
    var y = products;
    if (out.bias) |bias| inline for (&y) |*row| inline for (row, 0..) |*v, g| {
        v.* += simd.load(bias + (group + g) * lanes);
    };
    const first = token * out.stride + group * lanes - out.row_begin;
    if (out.residual) |residual| inline for (&y, 0..) |*row, t| inline for (row, 0..) |*v, g| {
        v.* += simd.load(residual + first + t * out.stride + g * lanes);
    };
    inline for (y, 0..) |row, t| inline for (row, 0..) |v, g| {
        simd.store(out.dst + first + t * out.stride + g * lanes, v);
    };
}

/// The last group is partly empty.
noinline fn putPart(
    products: [*]const F32,
    tokens: usize,
    groups: usize,
    out: *const Output,
    token: usize,
    group: usize,
) void {
    for (0..tokens) |t| for (0..groups) |g| {
        const row = (group + g) * lanes;
        const n = @min(lanes, out.rows - row);
        const at = (token + t) * out.stride + row - out.row_begin;
        var y = products[t * groups + g];
        if (out.bias) |bias| y += simd.load(bias + row);
        if (out.residual) |residual| y += vectors.loadUpTo(residual + at, n);
        vectors.storeUpTo(out.dst + at, y, n);
    };
}
