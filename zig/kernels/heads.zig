//! Between the Q, K, V product and attention: RMS norm of each head, rotary embedding, and the
//! transposed copy of K that lets attention compute 16 scores at once.

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
        for (first..end) |position| {
            const row = args.src + position * args.stride;
            for (0..args.head_count) |h| {
                const head = row + h * args.head_size;
                prepareHead(args, head, args.query_norm, position, args.query_scale);
            }
            for (0..args.head_count_kv) |h| {
                const head = row + (args.head_count + h) * args.head_size;
                prepareHead(args, head, args.key_norm, position, 1);
                transpose(args, head, h, group, position - first);
            }
        }
        for (end - first..lanes) |lane| clearLane(args, group, lane);
    }
}

/// Norm, rotation and scale in one pass, after the one that finds the norm.
fn prepareHead(
    args: *const Args,
    head: [*]f32,
    norm: ?[*]const f32,
    position: usize,
    scale: f32,
) void {
    const size = args.head_size;
    const factor = if (norm != null) rows.inverseRms(head, size, args.eps) else 1;
    const context: Head = .{
        .values = head,
        .factor = simd.splat(factor),
        .norm = norm,
        .scale = simd.splat(scale),
        .half = size / 2,
        .rope = if (args.rope) |table| table + position * size else undefined,
    };
    if (args.rope != null) {
        vectors.each(size / 2, &context, Head.rotate);
    } else {
        vectors.each(size, &context, Head.scaleOnly);
    }
}

const Head = struct {
    values: [*]f32,
    factor: simd.F32,
    norm: ?[*]const f32,
    scale: simd.F32,
    half: usize,
    /// Cosines, then sines.
    rope: [*]const f32,

    inline fn normed(self: *const Head, i: usize, n: usize) simd.F32 {
        const x = vectors.loadUpTo(self.values + i, n);
        const weight = self.norm orelse return x;
        return x * self.factor * vectors.loadUpTo(weight + i, n);
    }

    inline fn scaleOnly(self: *const Head, i: usize, n: usize) void {
        vectors.storeUpTo(self.values + i, self.normed(i, n) * self.scale, n);
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
        vectors.storeUpTo(self.values + i, x * self.scale, n);
        vectors.storeUpTo(self.values + j, y * self.scale, n);
    }
};

fn transpose(args: *const Args, head: [*]const f32, h: usize, group: usize, lane: usize) void {
    const width = args.head_count_kv * args.head_size;
    const keys = args.keys + (group * width + h * args.head_size) * lanes + lane;
    for (0..args.head_size) |i| keys[i * lanes] = head[i];
}

/// Lanes beyond the text's end take part in scores that are masked later; they must be finite.
fn clearLane(args: *const Args, group: usize, lane: usize) void {
    const width = args.head_count_kv * args.head_size;
    const keys = args.keys + group * width * lanes + lane;
    for (0..width) |i| keys[i * lanes] = 0;
}
