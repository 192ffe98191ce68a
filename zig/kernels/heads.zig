//! Between the Q, K, V product and attention: RMS norm of each head, rotary embedding, and the
//! transposed copy of K that lets attention compute 16 scores at once. The copy carries the scale
//! of the scores: where there is neither norm nor rotation, Q need not be touched.

const interface = @import("interface.zig");
const rows = @import("rows.zig");
const simd = @import("simd.zig");
const vectors = @import("vectors.zig");

const Args = interface.PrepareHeads;
const lanes = simd.lanes;

pub fn prepareHeads(args: *const Args) callconv(.c) void {
    for (args.group_begin..args.group_end) |group| {
        const first = group * lanes;
        const end = @min(first + lanes, args.length);
        if (args.query_norm != null or args.key_norm != null or args.rope != null) {
            for (first..end) |position| prepareRow(args, position);
        }
        copyKeys(args, group, end);
    }
}

fn prepareRow(args: *const Args, position: usize) void {
    const row = args.src + position * args.stride;
    for (0..args.head_count + args.head_count_kv) |h| {
        const norm = if (h < args.head_count) args.query_norm else args.key_norm;
        prepareHead(args, row + h * args.head_size, norm, position);
    }
}

/// Norm and rotation in one pass, after the one that finds the norm.
fn prepareHead(args: *const Args, head: [*]f32, norm: ?[*]const f32, position: usize) void {
    const size = args.head_size;
    const factor = if (norm != null) rows.inverseRms(head, size, args.eps) else 1;
    const context: Head = .{
        .values = head,
        .factor = simd.splat(factor),
        .norm = norm,
        .half = size / 2,
        .rope = if (args.rope) |table| table + position * size else undefined,
    };
    if (args.rope != null) {
        vectors.each(size / 2, &context, Head.rotate);
    } else if (norm != null) {
        vectors.each(size, &context, Head.normOnly);
    }
}

const Head = struct {
    values: [*]f32,
    factor: simd.F32,
    norm: ?[*]const f32,
    half: usize,
    /// Cosines, then sines.
    rope: [*]const f32,

    inline fn normed(self: *const Head, i: usize, n: usize) simd.F32 {
        const x = vectors.loadUpTo(self.values + i, n);
        const weight = self.norm orelse return x;
        return x * self.factor * vectors.loadUpTo(weight + i, n);
    }

    inline fn normOnly(self: *const Head, i: usize, n: usize) void {
        vectors.storeUpTo(self.values + i, self.normed(i, n), n);
    }

    /// NeoX rotary embedding: component i of the first half turns with component i of the second.
    inline fn rotate(self: *const Head, i: usize, n: usize) void {
        const j = self.half + i;
        const cos = vectors.loadUpTo(self.rope + i, n);
        const sin = vectors.loadUpTo(self.rope + j, n);
        const a = self.normed(i, n);
        const b = self.normed(j, n);
        const x = simd.mulAdd(a, cos, -(b * sin));
        const y = simd.mulAdd(b, cos, a * sin);
        vectors.storeUpTo(self.values + i, x, n);
        vectors.storeUpTo(self.values + j, y, n);
    }
};

/// One group's keys, 16 columns at a time. A lane beyond the text's end, whose score is masked
/// later, repeats the last key.
fn copyKeys(args: *const Args, group: usize, end: usize) void {
    const width = args.head_count_kv * args.head_size;
    var from: [lanes][*]const f32 = undefined;
    for (&from, group * lanes..) |*p, position| {
        const row = args.src + @min(position, end - 1) * args.stride;
        p.* = row + args.head_count * args.head_size;
    }
    const copy: Copy = .{
        .from = &from,
        .to = args.keys + group * width * lanes,
        .scale = simd.splat(args.key_scale),
    };
    vectors.each(width, &copy, Copy.block);
}

const Copy = struct {
    from: *const [lanes][*]const f32,
    to: [*]f32,
    scale: simd.F32,

    inline fn block(self: *const Copy, column: usize, n: usize) void {
        var v: [lanes]simd.F32 = undefined;
        inline for (&v, self.from) |*x, p| x.* = vectors.loadUpTo(p + column, n) * self.scale;
        const columns = simd.transpose(v);
        inline for (0..lanes) |i| {
            if (i < n) simd.store(self.to + (column + i) * lanes, columns[i]);
        }
    }
};
