//! The twins themselves: against the exact functions, and with the same bits everywhere.

const std = @import("std");
const interface = @import("../kernels/interface.zig");
const Numbers = @import("numbers.zig").Numbers;
const twin = @import("twin.zig");

const testing = std.testing;

test "activations are within a millionth of the exact functions" {
    var x: f32 = -12;
    while (x < 12) : (x += 1.0 / 1024.0) {
        const exact: f64 = x;
        const inner = @sqrt(2.0 / std.math.pi) * (exact + 0.044715 * exact * exact * exact);
        const tanh = 1.0 - 2.0 / (@exp(2.0 * inner) + 1.0);
        const gelu_tanh = 0.5 * exact * (1 + tanh);
        const gelu_erf = 0.5 * exact * (1 + exactErf(exact / @sqrt(2.0)));
        const silu = exact / (1 + @exp(-exact));
        try testing.expectApproxEqAbs(gelu_tanh, twin.activate(.gelu_tanh, x), 4e-7);
        try testing.expectApproxEqAbs(gelu_erf, twin.activate(.gelu_erf, x), 3e-7);
        const ulps = 1e-7 + 1.5e-7 * @abs(exact);
        try testing.expectApproxEqAbs(silu, twin.activate(.silu, x), ulps);
        const plain = 1.0 - 2.0 / (@exp(2.0 * exact) + 1.0);
        try testing.expectApproxEqAbs(plain, twin.activate(.tanh, x), 3e-7);
    }
}

/// erf by its Maclaurin series near zero and by the continued fraction of erfc beyond.
fn exactErf(x: f64) f64 {
    const z = @abs(x);
    if (z > 6) return std.math.sign(x);
    if (z > 3) {
        var fraction: f64 = 0;
        var k: f64 = 60;
        while (k >= 1) : (k -= 1) fraction = k / 2 / (z + fraction);
        const erfc = @exp(-z * z) / @sqrt(std.math.pi) / (z + fraction);
        return std.math.sign(x) * (1 - erfc);
    }
    var term = x;
    var total = x;
    var n: f64 = 1;
    while (n < 100) : (n += 1) {
        term *= -x * x / n;
        total += term / (2 * n + 1);
    }
    return total * 2 / @sqrt(std.math.pi);
}

test "the twins give the same bits on every architecture" {
    var numbers: Numbers = .init(2026);
    var hash = std.hash.Fnv1a_64.init();
    var row: [96]f32 = undefined;
    var weight: [96]f32 = undefined;
    var out: [96]f32 = undefined;
    for (0..200) |_| {
        numbers.floats(&row);
        numbers.floats(&weight);
        twin.rmsNorm(&row, &weight, null, 1e-6, &out);
        hash.update(std.mem.asBytes(&out));
        twin.layerNorm(&row, &weight, &row, 1e-12, &out);
        hash.update(std.mem.asBytes(&out));
        for (std.enums.values(interface.ActivationKind)) |kind| {
            for (row, &out) |x, *y| y.* = twin.activate(kind, x);
            hash.update(std.mem.asBytes(&out));
        }
        for (1..3) |planes| {
            var values: [2 * 96]i8 = undefined;
            var scales: [2 * 3]f32 = undefined;
            var sums: [3]f32 = undefined;
            const into: twin.QuantizedRow = .{
                .layout = .{ .planes = planes },
                .values = values[0 .. 96 * planes],
                .scales = scales[0 .. 3 * planes],
                .sums = &sums,
            };
            twin.quantize(&row, into);
            hash.update(std.mem.sliceAsBytes(into.values));
            hash.update(std.mem.sliceAsBytes(into.scales));
        }
        twin.normalize(&row, &out);
        hash.update(std.mem.asBytes(&out));
        twin.attention(.of(2, 1, 8, 3, 0, false), &row, 1, out[0..16]);
        hash.update(std.mem.asBytes(&out));
    }
    try testing.expectEqual(0xc6cedd603a0b4acf, hash.final());
}
