//! From token rows to what leaves the engine.

const interface = @import("interface.zig");
const simd = @import("simd.zig");
const vectors = @import("vectors.zig");

const lanes = simd.lanes;

/// Mean over the rows of one text, in order.
pub fn mean(args: *const interface.Mean) callconv(.c) void {
    const count = simd.splat(@floatFromInt(args.rows));
    var i: usize = 0;
    while (i < args.width) : (i += lanes) {
        const n = @min(lanes, args.width - i);
        var total = simd.splat(0);
        for (0..args.rows) |row| total += vectors.loadUpTo(args.src + row * args.width + i, n);
        vectors.storeUpTo(args.dst + i, total / count, n);
    }
}

/// Copies, normalises and checks. A row of zeros stays zero.
pub fn emit(args: *const interface.Emit) callconv(.c) bool {
    const width = args.dimensions;
    var finite = true;
    for (0..args.rows) |row| {
        const src = args.src + row * args.src_stride;
        const dst = args.dst + row * width;
        var squares = simd.splat(0);
        var largest = simd.splat(0);
        var i: usize = 0;
        while (i < width) : (i += lanes) {
            const x = vectors.loadUpTo(src + i, @min(lanes, width - i));
            squares = simd.mulAdd(x, x, squares);
            largest = simd.largerMagnitude(largest, x);
        }
        const square = simd.sum(squares);
        const magnitude = simd.maxMagnitudes(1, .{largest})[0];
        finite = finite and simd.isFinite(magnitude) and simd.isFinite(square);
        const length = if (args.normalize and square > 0) @sqrt(square) else 1;
        i = 0;
        while (i < width) : (i += lanes) {
            const n = @min(lanes, width - i);
            vectors.storeUpTo(dst + i, vectors.loadUpTo(src + i, n) / simd.splat(length), n);
        }
    }
    return finite;
}
