//! From integer dots to float outputs: what every int8 product does after a step, in one order.

const interface = @import("interface.zig");
const simd = @import("simd.zig");

const lanes = simd.lanes;
const F32 = simd.F32;
const I32 = simd.I32;

/// Scales, and minimums if the format has them, of 16 rows and the columns of a step; for dots with
/// the first so many planes of activations.
pub fn Scales(comptime format: interface.Format, comptime planes: usize) type {
    return struct {
        scale: F32,
        minimum: if (format.minimum) F32 else void,

        const Self = @This();

        pub inline fn init(args: *const interface.MatmulInt8, group: usize, step: usize) Self {
            const block = step * format.step / format.weight_block;
            const at = (group * (args.columns / format.weight_block) + block) * lanes;
            return .{
                .scale = load(format.scale, args.scales, at),
                .minimum = if (format.minimum) load(format.scale, args.minimums.?, at) else {},
            };
        }

        /// `sum + dot · scales + minimums · Σ activations`
        pub inline fn add(
            self: Self,
            sum: F32,
            dot: I32,
            args: *const interface.MatmulInt8,
            token: usize,
            step: usize,
        ) F32 {
            const src = &args.src;
            const steps = args.columns / format.step;
            const plane = token * src.planes + planes - 1;
            const scale = self.scale * simd.splat(src.scales[plane * steps + step]);
            const scaled = simd.mulAdd(@floatFromInt(dot), scale, sum);
            if (!format.minimum) return scaled;
            return simd.mulAdd(self.minimum, simd.splat(src.sums[token * steps + step]), scaled);
        }
    };
}

/// One dot of those of both planes. Where activations are not finite it wraps, as their sums do.
pub inline fn joinPlanes(first: I32, second: I32) I32 {
    return @as(I32, @splat(interface.plane_base)) *% first +% second;
}

inline fn load(comptime T: type, base: *const anyopaque, at: usize) F32 {
    const p: [*]const T = @ptrCast(@alignCast(base));
    const v: @Vector(lanes, T) = p[at..][0..lanes].*;
    return v;
}
