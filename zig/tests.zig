//! Every test of the native side.

test {
    _ = @import("abi.zig");
    _ = @import("channel.zig");
    _ = @import("handles.zig");
    _ = @import("lib.zig");
    _ = @import("placement.zig");
    _ = @import("pool.zig");
    _ = @import("quantize/group.zig");
    _ = @import("region.zig");
    _ = @import("rope.zig");
    _ = @import("schedule.zig");
    _ = @import("shelf.zig");
    _ = @import("testing/attention_test.zig");
    _ = @import("testing/batch_test.zig");
    _ = @import("testing/blocks_test.zig");
    _ = @import("testing/encode_test.zig");
    _ = @import("testing/engine_test.zig");
    _ = @import("testing/math_test.zig");
    _ = @import("testing/matmul_test.zig");
    _ = @import("testing/output_test.zig");
    _ = @import("testing/plan_test.zig");
    _ = @import("testing/rows_test.zig");
    _ = @import("testing/runtime_test.zig");
    _ = @import("testing/scores_test.zig");
    _ = @import("testing/sections_test.zig");
    _ = @import("testing/shards_test.zig");
    _ = @import("testing/sharing_test.zig");
    _ = @import("testing/stress_test.zig");
    _ = @import("testing/tiles_test.zig");
    _ = @import("testing/variants_test.zig");
    _ = @import("testing/weights_test.zig");
}
