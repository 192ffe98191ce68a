//! The yardstick's part of one CPU variant: compiled once for each, with that CPU's features.

const options = @import("options");
const peak = @import("kernels/peak.zig").peak;

comptime {
    @export(&peak, .{ .name = "ggufembed_peak_" ++ options.variant, .visibility = .hidden });
}
