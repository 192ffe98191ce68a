//! Follows a plan's data: every operation reads what an earlier one wrote, in the form that it
//! wrote.

const std = @import("std");
const abi = @import("abi.zig");
const Access = @import("access.zig").Access;
const plan = @import("plan.zig");

const Set = std.StaticBitSet(plan.buffer_count_max);

/// The first operation that reads what nobody wrote; null when there is none. The plan's indices
/// have been checked.
pub fn firstUnwritten(view: plan.View) ?usize {
    var flow: Flow = .{ .view = view };
    for (view.operations, 0..) |op, i| {
        if (!flow.follow(op)) return i;
    }
    return null;
}

const Flow = struct {
    view: plan.View,
    /// Buffers whose float rows are current.
    float: Set = .initEmpty(),
    /// Buffers whose quantised rows are current.
    quantized: Set = .initEmpty(),

    /// False: the operation reads what nobody wrote.
    fn follow(self: *Flow, op: abi.Operation) bool {
        const access: Access = .of(op);
        for (access.reads) |buffer| {
            if (buffer != abi.none and !self.hasFloat(buffer)) return false;
        }
        if (access.multiplied != abi.none and !self.canMultiply(op)) return false;
        for (access.writes) |buffer| {
            if (buffer == abi.none) continue;
            if (access.all_forms) self.writeAll(buffer) else self.writeFloat(buffer);
        }
        return true;
    }

    fn hasFloat(self: *const Flow, buffer: u32) bool {
        return self.float.isSet(buffer);
    }

    /// The source has the form that its matrix is multiplied with.
    fn canMultiply(self: *const Flow, op: abi.Operation) bool {
        const int8 = plan.isInt8(self.view, self.view.weights[op.weight]);
        return if (int8) self.quantized.isSet(op.src) else self.hasFloat(op.src);
    }

    /// A quantised form, if any, is now out of date.
    fn writeFloat(self: *Flow, buffer: u32) void {
        self.float.set(buffer);
        self.quantized.unset(buffer);
    }

    /// Every form that the buffer has.
    fn writeAll(self: *Flow, buffer: u32) void {
        self.float.setValue(buffer, self.view.buffers[buffer].float != 0);
        self.quantized.setValue(buffer, self.view.buffers[buffer].quantized != 0);
    }
};
