//! The kernels once more, one number at a time: what each variant must give, bit for bit.

const std = @import("std");
const interface = @import("../kernels/interface.zig");

const lanes = interface.lanes;

/// The virtual lanes of every float reduction, and the tree that joins them.
pub fn Lanes(comptime count: usize) type {
    return struct {
        values: [count]f32 = @splat(0),

        pub fn sum(self: @This()) f32 {
            var v = self.values;
            var n: usize = count / 2;
            while (n > 0) : (n /= 2) {
                for (0..n) |i| v[i] += v[i + n];
            }
            return v[0];
        }
    };
}

/// Lanes of a sum along a row: four chains of 16.
const row_lanes = 64;

pub fn exp(x: f32) f32 {
    const above = if (x > -87) x else -87;
    const v = if (above < 88) above else 88;
    const magic: f32 = 12582912.0;
    const scaled: f32 = v * @as(f32, 1.44269504088896340736);
    const n = (scaled + magic) - magic;
    const high = @mulAdd(f32, n, -0.693145751953125, v);
    const r = @mulAdd(f32, n, -1.42860682030941723212e-6, high);
    const p = polynomial(r, &.{
        0.5,                 0.1666666716337204,    0.04166646674275398,
        0.00833331048488617, 0.0013933641603216529, 0.00019890980911441147,
    });
    return (1 + @mulAdd(f32, r * r, p, r)) * powerOfTwo(n);
}

fn powerOfTwo(n: f32) f32 {
    const exponent: i32 = @intFromFloat(n);
    return @bitCast((exponent + 127) << 23);
}

fn gelu(x: f32, q_coefficients: []const f32) f32 {
    const t: f32 = if (@abs(x) < 6) @abs(x) else 6;
    const q = polynomial(t, q_coefficients);
    const n = roundHalfEven(q);
    const e = polynomial(q - n, &.{
        1.0,                 0.6931468844413757,  0.24022234976291656,
        0.05550806224346161, 0.00967186689376831, 0.0013246908783912659,
    });
    return @mulAdd(f32, -t, e * powerOfTwo(n), if (x > 0) x else 0);
}

pub fn activate(kind: interface.ActivationKind, x: f32) f32 {
    return switch (kind) {
        .gelu_erf => gelu(x, &.{
            -1.0,                  -1.1511578559875488, -0.4588736593723297,
            -0.0532994121313095,   0.00801879446953535, -0.000752812426071614,
            3.142701825709082e-05,
        }),
        .gelu_tanh => gelu(x, &.{
            -1.0,                   -1.1510305404663086,    -0.45992347598075867,
            -0.04899856075644493,   0.0033110601361840963,  0.004159160424023867,
            -0.0026134641375392675, 0.00048108567716553807, -3.022278360731434e-05,
        }),
        .silu => x / (1 + exp(-x)),
        .tanh => @mulAdd(f32, x, 0, 1 - 2 / (1 + exp(x + x))),
    };
}

fn polynomial(x: f32, c: []const f32) f32 {
    var result = c[c.len - 1];
    var i = c.len - 1;
    while (i > 0) {
        i -= 1;
        result = @mulAdd(f32, result, x, c[i]);
    }
    return result;
}

/// How a row is quantised, as `interface.Quantized` has it.
pub const Layout = struct {
    step: usize = 32,
    scale_block: usize = 32,
    planes: usize = 1,
};

/// A quantised row: scale and values of each step, as `interface.Quantized` lays them out.
pub const QuantizedRow = struct {
    layout: Layout,
    values: []i8,
    scales: []f32,
    sums: []f32,

    /// Of two planes the first alone.
    pub fn first(self: QuantizedRow) QuantizedRow {
        return .{
            .layout = .{ .step = self.layout.step, .scale_block = self.layout.scale_block },
            .values = self.values[0 .. self.values.len / 2],
            .scales = self.scales[0 .. self.scales.len / 2],
            .sums = self.sums,
        };
    }

    /// Of step `s`, what one counts in the last plane.
    fn scale(self: QuantizedRow, s: usize) f32 {
        return self.scales[self.scales.len - self.sums.len + s];
    }

    /// The number that a column has become.
    pub fn number(self: QuantizedRow, column: usize) i32 {
        const upper: i32 = self.values[column];
        if (self.layout.planes == 1) return upper;
        return 255 * upper + self.values[self.values.len / 2 + column];
    }

    fn put(self: QuantizedRow, column: usize, x: i32) void {
        if (self.layout.planes == 1) {
            self.values[column] = @intCast(x);
            return;
        }
        // From -127 to 127, as one of each 255 neighbours.
        const second = @mod(x + 127, 255) - 127;
        self.values[column] = @intCast(@divExact(x - second, 255));
        self.values[self.values.len / 2 + column] = @intCast(second);
    }
};

pub fn quantize(src: []const f32, out: QuantizedRow) void {
    const step = out.layout.step;
    const scale_block = out.layout.scale_block;
    const full: f32 = if (out.layout.planes == 1) 127 else 32385;
    const least: f32 = if (out.layout.planes == 1) 1e-36 else 1e-33;
    var column: usize = 0;
    while (column < src.len) : (column += scale_block) {
        var largest: f32 = 0;
        for (src[column..][0..scale_block]) |x| largest = @max(largest, @abs(x));
        const inverse: f32 = if (largest > least) full / largest else 0;
        for (src[column..][0..scale_block], column..) |x, c| {
            out.put(c, @intFromFloat(roundHalfEven(x * inverse)));
        }
        for (column / step..(column + scale_block) / step) |s| {
            var total: i32 = 0;
            for (s * step..(s + 1) * step) |c| total += out.number(c);
            const scale = largest / full;
            if (out.layout.planes == 2) out.scales[s] = scale * 255;
            out.scales[out.scales.len - out.sums.len + s] = scale;
            out.sums[s] = scale * @as(f32, @floatFromInt(total));
        }
    }
}

fn roundHalfEven(x: f32) f32 {
    const floor = @floor(x);
    const fraction = x - floor;
    if (fraction < 0.5) return floor;
    if (fraction > 0.5) return floor + 1;
    return if (@mod(floor, 2) == 0) floor else floor + 1;
}

pub fn inverseRms(src: []const f32, eps: f32) f32 {
    var squares: Lanes(row_lanes) = .{};
    for (src, 0..) |x, i| {
        const lane = &squares.values[i % row_lanes];
        lane.* = @mulAdd(f32, x, x, lane.*);
    }
    return 1 / @sqrt(squares.sum() / @as(f32, @floatFromInt(src.len)) + eps);
}

pub fn rmsNorm(
    src: []const f32,
    weight: []const f32,
    residual: ?[]const f32,
    eps: f32,
    dst: []f32,
) void {
    const scale = inverseRms(src, eps);
    for (src, weight, dst, 0..) |x, w, *y, i| {
        y.* = if (residual) |r| @mulAdd(f32, x * scale, w, r[i]) else x * scale * w;
    }
}

pub fn layerNorm(
    src: []const f32,
    weight: []const f32,
    bias: []const f32,
    eps: f32,
    dst: []f32,
) void {
    const count: f32 = @floatFromInt(src.len);
    var total: Lanes(row_lanes) = .{};
    for (src, 0..) |x, i| total.values[i % row_lanes] += x;
    const middle = total.sum() / count;
    var squares: Lanes(row_lanes) = .{};
    for (src, 0..) |x, i| {
        const lane = &squares.values[i % row_lanes];
        lane.* = @mulAdd(f32, x - middle, x - middle, lane.*);
    }
    const scale = 1 / @sqrt(squares.sum() / count + eps);
    for (src, weight, bias, dst) |x, w, b, *y| y.* = @mulAdd(f32, (x - middle) * scale, w, b);
}

/// One head: norm, rotation.
pub fn prepareHead(
    head: []f32,
    norm: ?[]const f32,
    rope: ?[]const f32,
    eps: f32,
) void {
    if (norm) |weight| {
        const inverse = inverseRms(head, eps);
        for (head, weight) |*x, w| x.* = x.* * inverse * w;
    }
    const half = head.len / 2;
    if (rope) |table| for (0..half) |i| {
        const a = head[i];
        const b = head[half + i];
        const cos = table[i];
        const sin = table[half + i];
        head[i] = @mulAdd(f32, a, cos, -(b * sin));
        head[half + i] = @mulAdd(f32, b, cos, a * sin);
    };
}

pub const AttentionShape = struct {
    head_count: usize,
    head_count_kv: usize,
    head_size: usize,
    length: usize,
    reach: usize,
    causal: bool,
    /// Of K before its product with Q.
    key_scale: f32 = 1,

    pub fn of(
        head_count: usize,
        head_count_kv: usize,
        head_size: usize,
        length: usize,
        reach: usize,
        causal: bool,
    ) AttentionShape {
        return .{
            .head_count = head_count,
            .head_count_kv = head_count_kv,
            .head_size = head_size,
            .length = length,
            .reach = reach,
            .causal = causal,
        };
    }

    pub fn stride(self: AttentionShape) usize {
        return (self.head_count + 2 * self.head_count_kv) * self.head_size;
    }
};

/// One query's row of outputs. `rows` is `[length][q | k | v]` as `prepareHead` left it.
pub fn attention(shape: AttentionShape, rows: []const f32, query: usize, dst: []f32) void {
    const size = shape.head_size;
    const begin = if (shape.reach == 0) 0 else query -| shape.reach;
    var end = if (shape.reach == 0) shape.length else @min(shape.length, query + shape.reach + 1);
    if (shape.causal) end = @min(end, query + 1);
    for (0..shape.head_count) |h| {
        const kv = h / (shape.head_count / shape.head_count_kv);
        const q = rows[query * shape.stride() + h * size ..][0..size];
        var largest: f32 = -3.0e38;
        for (begin..end) |j| largest = @max(largest, score(shape, rows, q, j, kv));
        var total: Lanes(lanes) = .{};
        const out = dst[h * size ..][0..size];
        @memset(out, 0);
        for (begin..end) |j| {
            const p = exp(score(shape, rows, q, j, kv) - largest);
            total.values[j % lanes] += p;
            const column = (shape.head_count + shape.head_count_kv + kv) * size;
            const value = rows[j * shape.stride() + column ..][0..size];
            for (out, value) |*o, v| o.* = @mulAdd(f32, p, v, o.*);
        }
        for (out) |*o| o.* /= total.sum();
    }
}

fn score(shape: AttentionShape, rows: []const f32, q: []const f32, j: usize, kv: usize) f32 {
    const column = (shape.head_count + kv) * shape.head_size;
    const key = rows[j * shape.stride() + column ..][0..shape.head_size];
    var dot: f32 = 0;
    for (q, key) |a, b| dot = @mulAdd(f32, a, b * shape.key_scale, dot);
    return dot;
}

pub fn mean(src: []const f32, width: usize, dst: []f32) void {
    const rows = src.len / width;
    @memset(dst, 0);
    for (0..rows) |row| {
        for (dst, src[row * width ..][0..width]) |*y, x| y.* += x;
    }
    for (dst) |*y| y.* /= @floatFromInt(rows);
}

pub fn normalize(src: []const f32, dst: []f32) void {
    var squares: Lanes(lanes) = .{};
    for (src, 0..) |x, i| {
        const lane = &squares.values[i % lanes];
        lane.* = @mulAdd(f32, x, x, lane.*);
    }
    const square = squares.sum();
    const length: f32 = if (square > 0) @sqrt(square) else 1;
    for (src, dst) |x, *y| y.* = x / length;
}

/// A matrix of quantised weights, unpacked.
pub const Weights = struct {
    columns: usize,
    block: usize,
    /// `[rows][columns]`
    values: []const i8,
    /// `[rows][columns / block]`
    scales: []const f32,
    minimums: ?[]const f32,
};

/// One output of an int8 product: an exact dot a step, then one fused multiply-add.
pub fn dotInt8(weights: Weights, row: usize, src: QuantizedRow) f32 {
    const step = src.layout.step;
    var acc: f32 = 0;
    for (0..weights.columns / step) |s| {
        var dot: i32 = 0;
        for (s * step..(s + 1) * step) |c| {
            dot += @as(i32, weights.values[row * weights.columns + c]) * src.number(c);
        }
        const at = row * (weights.columns / weights.block) + s * step / weights.block;
        acc = @mulAdd(f32, @floatFromInt(dot), weights.scales[at] * src.scale(s), acc);
        if (weights.minimums) |m| acc = @mulAdd(f32, m[at], src.sums[s], acc);
    }
    return acc;
}

/// `Σ a·b` of float32 in float64, in 16 lanes.
pub fn dotFloat(a: []const f32, b: []const f32) f64 {
    var lane: [lanes]f64 = @splat(0);
    for (a, b, 0..) |x, y, i| lane[i % lanes] += @as(f64, x) * @as(f64, y);
    var n: usize = lanes / 2;
    while (n > 0) : (n /= 2) {
        for (0..n) |i| lane[i] += lane[i + n];
    }
    return lane[0];
}

pub fn dotBytes(a: []const i8, b: []const i8) f64 {
    var total: i32 = 0;
    for (a, b) |x, y| total += @as(i32, x) * y;
    return @floatFromInt(total);
}

/// Of signs.
pub fn dotBits(a: []const u8, b: []const u8) f64 {
    var total: i32 = 0;
    for (a, b) |x, y| for (0..8) |bit| {
        const differ = (x ^ y) >> @intCast(bit) & 1 == 1;
        total += if (differ) -1 else 1;
    };
    return @floatFromInt(total);
}

pub fn cosine(dot: f64, square: f64, other: f64) f64 {
    if (square * other == 0) return 0;
    const raw = dot / @sqrt(square * other);
    return if (raw > 1) 1 else if (raw < -1) -1 else raw;
}
