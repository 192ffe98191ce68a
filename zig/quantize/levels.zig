//! The numbers that a quantised weight can be, before its scale.

const group = @import("group.zig");
const simd = @import("../kernels/simd.zig");

const F32 = group.F32;
const I32 = simd.I32;
const splat = simd.splat;

/// Whole numbers from `least` to `most`.
pub fn Uniform(comptime least: f32, comptime most: f32) type {
    return struct {
        /// Of all levels the one that is farthest from 0, where the largest weight would go.
        pub const farthest = least;

        pub inline fn nearest(x: F32) F32 {
            return group.rounded(group.clamped(x, least, most));
        }

        /// Which level it is, from 0.
        pub inline fn index(x: F32) I32 {
            return group.whole(nearest(x) - splat(least));
        }
    };
}

/// Sixteen numbers in ascending order.
pub fn Table(comptime numbers: [16]i8) type {
    return struct {
        pub const farthest: f32 = @floatFromInt(numbers[0]);

        /// Of two that are equally near the lower one.
        pub inline fn nearest(x: F32) F32 {
            var level = splat(farthest);
            inline for (numbers[0..15], numbers[1..]) |below, above| {
                level = @select(f32, x > middle(below, above), splat(@floatFromInt(above)), level);
            }
            return level;
        }

        pub inline fn index(x: F32) I32 {
            var result: I32 = @splat(0);
            inline for (numbers[0..15], numbers[1..]) |below, above| {
                result += @intFromBool(x > middle(below, above));
            }
            return result;
        }

        inline fn middle(comptime below: i8, comptime above: i8) F32 {
            return splat((@as(f32, @floatFromInt(below)) + @as(f32, @floatFromInt(above))) / 2);
        }
    };
}
