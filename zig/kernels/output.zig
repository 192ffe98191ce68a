//! What follows a matrix product: bias, residual, store.

const interface = @import("interface.zig");
const simd = @import("simd.zig");
const vectors = @import("vectors.zig");

/// Stores the 16 outputs of one token and one group of rows.
pub inline fn put(
    out: *const interface.Output,
    product: simd.F32,
    token: usize,
    group: usize,
) void {
    const first = group * simd.lanes;
    const n = @min(simd.lanes, out.rows - first);
    const at = token * out.stride + first - out.row_begin;
    var y = product;
    if (out.bias) |bias| y += simd.load(bias + first);
    if (out.residual) |residual| y += vectors.loadUpTo(residual + at, n);
    vectors.storeUpTo(out.dst + at, y, n);
}
