//! Keeps the threads of a job on CPUs of their own.
//!
//! A thread that is woken may be put on the CPU of who woke it, which is busy, while another is
//! idle. Until the system moves it, some milliseconds later, one of the two spins in each meeting
//! while the other cannot run: a short text then takes three times as long. So whoever wakes on the
//! CPU of another thread of its job goes elsewhere.

const builtin = @import("builtin");
const std = @import("std");
const linux = std.os.linux;

const has_affinity = builtin.os.tag == .linux;

/// Where the threads of a job are, as far as they know; those that have none are nowhere.
pub fn Placement(comptime thread_count_max: usize) type {
    return struct {
        cpus: [thread_count_max]std.atomic.Value(u32) = @splat(.init(nowhere)),

        const Self = @This();
        const nowhere = std.math.maxInt(u32);

        /// Thread `index` of `count` has just woken.
        pub fn settle(self: *Self, index: usize, count: usize) void {
            if (!has_affinity or count == 1) return;
            const here = currentCpu();
            const taken = self.isTaken(here, index, count);
            const there = if (taken) self.moveAway(index, count) else null;
            self.cpus[index].store(there orelse here, .monotonic);
        }

        /// Thread `index` has done its part.
        pub fn leave(self: *Self, index: usize) void {
            self.cpus[index].store(nowhere, .monotonic);
        }

        fn isTaken(self: *const Self, here: u32, index: usize, count: usize) bool {
            for (self.cpus[0..count], 0..) |*place, i| {
                if (i != index and place.load(.monotonic) == here) return true;
            }
            return false;
        }

        /// To a CPU that no other thread of the job is on. Null: there are fewer of them than
        /// threads, or the system does not allow it.
        fn moveAway(self: *const Self, index: usize, count: usize) ?u32 {
            // The system fills only as much of it as it has CPUs.
            var allowed: linux.cpu_set_t = @splat(0);
            const size = linux.sched_getaffinity(0, @sizeOf(linux.cpu_set_t), &allowed);
            if (@as(isize, @bitCast(size)) < 0 or linux.CPU_COUNT(allowed) < count) return null;
            var free = allowed;
            for (self.cpus[0..count], 0..) |*place, i| {
                // Where it was itself is free, since it is elsewhere now.
                const cpu = if (i == index) nowhere else place.load(.monotonic);
                const word = cpu / @bitSizeOf(usize);
                if (word >= free.len) continue;
                free[word] &= ~(@as(usize, 1) << @intCast(cpu % @bitSizeOf(usize)));
            }
            // Once it is there, it may be moved like any other thread.
            linux.sched_setaffinity(0, &free) catch return null;
            defer linux.sched_setaffinity(0, &allowed) catch {};
            return currentCpu();
        }
    };
}

extern "c" fn sched_getcpu() c_int;

fn currentCpu() u32 {
    return @bitCast(sched_getcpu());
}

test "a thread on the CPU of another goes elsewhere, and may be moved from there" {
    if (!has_affinity) return error.SkipZigTest;
    var before: linux.cpu_set_t = @splat(0);
    _ = linux.sched_getaffinity(0, @sizeOf(linux.cpu_set_t), &before);
    var places: Placement(3) = .{};
    places.settle(0, 2);
    const first = places.cpus[0].load(.monotonic);
    // This thread plays both: it is where the first one is, or was.
    places.cpus[0].store(currentCpu(), .monotonic);
    places.settle(1, 2);
    const second = places.cpus[1].load(.monotonic);
    const cpus = linux.CPU_COUNT(before);
    try std.testing.expect(first < linux.CPU_SETSIZE * 8 and second < linux.CPU_SETSIZE * 8);
    if (cpus >= 2) try std.testing.expect(second != places.cpus[0].load(.monotonic));
    // It slept there, and woke on the CPU of the other once more.
    places.cpus[0].store(currentCpu(), .monotonic);
    places.cpus[1].store(first, .monotonic);
    places.settle(1, 2);
    const third = places.cpus[1].load(.monotonic);
    if (cpus >= 2) try std.testing.expect(third != places.cpus[0].load(.monotonic));

    var after: linux.cpu_set_t = @splat(0);
    _ = linux.sched_getaffinity(0, @sizeOf(linux.cpu_set_t), &after);
    try std.testing.expectEqual(before, after);
    places.leave(0);
    try std.testing.expect(!places.isTaken(second, 1, 2));
}
