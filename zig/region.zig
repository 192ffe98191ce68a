//! Memory for a model's weights: one region, in huge pages where the system gives them.

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

    pub fn init(bytes: usize) error{OutOfMemory}!Region {
        // Room to begin at a huge page, if there is one to fill.
        const slack: usize = if (bytes < huge_page) 0 else huge_page;
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
        return .{ .mapped = mapped, .rest = rest };
    }

    pub fn deinit(self: Region) void {
        std.posix.munmap(self.mapped);
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
        var region: Region = try .init(bytes);
        defer region.deinit();
        const first = region.take(bytes / 2 - 1);
        const second = region.take(bytes / 2);
        try std.testing.expect(std.mem.allEqual(u8, first, 0));
        @memset(first, 1);
        try std.testing.expect(std.mem.allEqual(u8, second, 0));
        try std.testing.expectEqual(0, region.rest.len);
    }
}
