//! The scales and minimums of Q4_K and Q5_K; ../quants/k_scales.zig has a drawing of their bytes.

const group = @import("group.zig");
const simd = @import("../kernels/simd.zig");

pub inline fn put(block: anytype, at: usize, scales: [8]group.F32, minimums: [8]group.F32) void {
    const low: simd.I32 = @splat(15);
    for (0..4) |i| {
        const s = group.whole(scales[i + 4]);
        const m = group.whole(minimums[i + 4]);
        block.put(at + i, group.whole(scales[i]) | s >> @splat(4) << @splat(6));
        block.put(at + 4 + i, group.whole(minimums[i]) | m >> @splat(4) << @splat(6));
        block.put(at + 8 + i, s & low | (m & low) << @splat(4));
    }
}
