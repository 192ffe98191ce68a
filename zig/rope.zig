//! Tables of cosines and sines for rotary embeddings, as long as the longest text so far.
//!
//! Everything is made of float64 additions, multiplications, divisions and square roots, so that
//! the tables have the same bits on every system; a C library's `sin` need not.

const std = @import("std");
const assert = std.debug.assert;

/// Cosines of `p · θ_i` in the first half of a row, sines in the second, for each position `p`,
/// `θ_i = base^(-2 i / head_size)` (Su et al., RoFormer, 2021). A row is made for the first text
/// that is so long.
pub const Table = struct {
    head_size: usize,
    base: f64,
    /// `[positions][head_size]`, of which the first `filled` are there.
    rows: []f32,
    filled: usize = 0,
    /// The angles of the next row.
    next: Angles,
    /// What they turn by from row to row.
    step: Angles,

    pub fn init(
        arena: std.mem.Allocator,
        positions: usize,
        head_size: usize,
        base: f64,
    ) error{OutOfMemory}!Table {
        assert(head_size % 2 == 0);
        const half = head_size / 2;
        const table: Table = .{
            .head_size = head_size,
            .base = base,
            .rows = try arena.alloc(f32, positions * head_size),
            .next = try .init(arena, half),
            .step = try .init(arena, half),
        };
        @memset(table.next.cos, 1);
        @memset(table.next.sin, 0);
        const ratio = 1.0 / root(base, half);
        var theta: f64 = 1;
        for (table.step.cos, table.step.sin) |*cos, *sin| {
            sin.* = sine(theta);
            cos.* = 1 - 2 * sine(theta / 2) * sine(theta / 2);
            theta *= ratio;
        }
        return table;
    }

    /// Whether it is what `init` would make of these.
    pub fn serves(self: *const Table, positions: usize, head_size: usize, base: f64) bool {
        const same = self.head_size == head_size and self.base == base;
        return same and self.rows.len == positions * head_size;
    }

    /// Makes the rows of the first `positions`.
    pub fn extend(self: *Table, positions: usize) void {
        while (self.filled < positions) : (self.filled += 1) {
            const row = self.rows[self.filled * self.head_size ..][0..self.head_size];
            self.next.write(row);
            self.next.turn(self.step);
        }
    }
};

const Angles = struct {
    cos: []f64,
    sin: []f64,

    fn init(arena: std.mem.Allocator, count: usize) error{OutOfMemory}!Angles {
        return .{ .cos = try arena.alloc(f64, count), .sin = try arena.alloc(f64, count) };
    }

    fn write(self: Angles, row: []f32) void {
        const half = row.len / 2;
        for (row[0..half], self.cos) |*to, cos| to.* = @floatCast(cos);
        for (row[half..], self.sin) |*to, sin| to.* = @floatCast(sin);
    }

    /// The error grows by an ulp of float64 a step.
    fn turn(self: Angles, step: Angles) void {
        for (self.cos, self.sin, step.cos, step.sin) |*cos, *sin, step_cos, step_sin| {
            const turned = cos.* * step_cos - sin.* * step_sin;
            sin.* = sin.* * step_cos + cos.* * step_sin;
            cos.* = turned;
        }
    }
};

/// sin x for 0 ≤ x ≤ 1 by its Taylor series; the first omitted term is below 1e-19.
fn sine(x: f64) f64 {
    const square = x * x;
    var term = x;
    var total = x;
    var n: f64 = 1;
    while (n < 19) : (n += 2) {
        term *= -square / ((n + 1) * (n + 2));
        total += term;
    }
    return total;
}

/// base^(1/n) by Newton's method from above, where it descends monotonically.
fn root(base: f64, n: usize) f64 {
    assert(base > 1 and n >= 1);
    const count: f64 = @floatFromInt(n);
    // 1 + (base - 1) / n is an upper bound (Bernoulli).
    var x = 1 + (base - 1) / count;
    while (true) {
        var power: f64 = 1;
        for (0..n - 1) |_| power *= x;
        const next = x - (x - base / power) / count;
        if (next >= x) return x;
        x = next;
    }
}

test "tables agree with the C library to a part in 10 million, made at once or in steps" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    var table: Table = try .init(arena.allocator(), 2048, 8, 1e6);
    for ([_]usize{ 1, 700, 3, 2048 }) |positions| table.extend(positions);
    for (0..2048) |p| {
        const row = table.rows[p * 8 ..][0..8];
        for (0..4) |i| {
            const exponent = -2.0 * @as(f64, @floatFromInt(i)) / 8.0;
            const angle = @as(f64, @floatFromInt(p)) * std.math.pow(f64, 1e6, exponent);
            try std.testing.expectApproxEqAbs(@cos(angle), row[i], 1e-7);
            try std.testing.expectApproxEqAbs(@sin(angle), row[4 + i], 1e-7);
        }
    }
}
