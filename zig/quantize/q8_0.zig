//! Q8_0; its bytes are drawn in ../quants/q8_0.zig. The number -128 is left out: kernels of int8
//! products count on that.

const format = @import("../quants/q8_0.zig");
const group = @import("group.zig");
const levels = @import("levels.zig");
const simd = @import("../kernels/simd.zig");
const symmetric = @import("symmetric.zig");

const Levels = levels.Uniform(-127, 127);

/// Where candidates put the largest weight; the first is llama.cpp's. A weight of this size that
/// is cut costs more than the finer steps of the others gain.
const targets = [_]f32{ 127, 127.12, 127.25, 127.37, 127.5, 126.8, 126.5, 126.1 };

pub fn encode(x: *const [format.columns]group.F32, block: *group.Block(format.bytes)) group.F32 {
    const most = @abs(symmetric.largest(x));
    var scales: [targets.len]group.F32 = undefined;
    inline for (&scales, targets) |*scale, target| {
        scale.* = group.half(most / simd.splat(target));
    }
    const d = symmetric.bestOf(Levels, targets.len, scales, x);
    const by = group.inverse(d);
    block.putHalf(0, d);
    for (x, 2..) |value, at| block.put(at, group.whole(Levels.nearest(value * by)));
    return d;
}
