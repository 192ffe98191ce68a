//! Memory for a model: one region for its weights, one for what it computes.

const std = @import("std");
const builtin = @import("builtin");

pub const alignment = 64;
/// Of x86-64, and of AArch64 with pages of 4 KiB; with others it only aligns.
const huge_page = 2 << 20;

/// Zeros until written. What is never written costs no memory.
pub const Region = struct {
    mapped: []align(std.heap.page_size_min) u8,
    /// The part of it that is not taken yet.
    rest: []align(alignment) u8,
    /// Without the room to align it.
    bytes: usize,

    /// What is written once and as a whole goes in huge pages, where the system gives them. What
    /// may be needed in part stays in small ones.
    pub const Pages = enum { huge, small };

    pub fn init(bytes: usize, pages: Pages) error{OutOfMemory}!Region {
        // Room to begin at a huge page, if there is one to fill.
        const slack: usize = if (pages == .small or bytes < huge_page) 0 else huge_page;
        const mapped = std.posix.mmap(
            null,
            @max(1, bytes + slack),
            .{ .READ = true, .WRITE = true },
            .{ .TYPE = .PRIVATE, .ANONYMOUS = true },
            -1,
            0,
        ) catch return error.OutOfMemory;
        const address = @intFromPtr(mapped.ptr);
        const begin = std.mem.alignForward(usize, address, @max(1, slack));
        const rest: []align(alignment) u8 = @alignCast(mapped[begin - address ..][0..bytes]);
        if (builtin.os.tag == .linux and slack != 0) {
            // A wish. A page fault for each 4 KiB would cost more than reading and packing does.
            std.posix.madvise(@alignCast(rest.ptr), bytes, std.posix.MADV.HUGEPAGE) catch {};
        }
        return .{ .mapped = mapped, .rest = rest, .bytes = bytes };
    }

    pub fn deinit(self: Region) void {
        std.posix.munmap(self.mapped);
    }

    /// Bytes that are in memory; all of them where the system does not tell.
    pub fn resident(self: Region) usize {
        if (builtin.os.tag != .linux) return self.bytes;
        const page = std.heap.pageSize();
        var found: usize = 0;
        var states: [4096]u8 = undefined;
        var rest = self.mapped;
        while (rest.len > 0) {
            const length = @min(rest.len, states.len * page);
            const result = std.os.linux.mincore(rest.ptr, length, &states);
            if (std.os.linux.errno(result) != .SUCCESS) return self.bytes;
            const count = std.math.divCeil(usize, length, page) catch unreachable;
            for (states[0..count]) |state| found += @as(usize, state & 1) * page;
            rest = @alignCast(rest[length..]);
        }
        return found;
    }

    /// The next `bytes`, of which `init` was told.
    pub fn take(self: *Region, bytes: usize) []align(alignment) u8 {
        const taken = self.rest[0..bytes];
        self.rest = @alignCast(self.rest[std.mem.alignForward(usize, bytes, alignment)..]);
        return taken;
    }
};

test "what is taken is aligned, zero and apart" {
    for ([_]usize{ 4 * alignment, 3 * huge_page }) |bytes| {
        var region: Region = try .init(bytes, .huge);
        defer region.deinit();
        const first = region.take(bytes / 2 - 1);
        const second = region.take(bytes / 2);
        try std.testing.expect(std.mem.allEqual(u8, first, 0));
        @memset(first, 1);
        try std.testing.expect(std.mem.allEqual(u8, second, 0));
        try std.testing.expectEqual(0, region.rest.len);
    }
}

test "only what was written is in memory" {
    const page = std.heap.pageSize();
    const pages = 5000;
    var region: Region = try .init(pages * page, .small);
    defer region.deinit();
    const all = region.take(pages * page);
    if (builtin.os.tag != .linux) return std.testing.expectEqual(all.len, region.resident());
    try std.testing.expectEqual(0, region.resident());
    for ([_]usize{ 0, 17, pages - 1 }) |i| all[i * page + 5] = 1;
    try std.testing.expectEqual(3 * page, region.resident());
}
