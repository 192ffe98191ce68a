//! A model file, read by position and never mapped.
//!
//! A mapped page whose file was cut short kills the process when it is touched; a read of it comes
//! back short. Nor is a mapping faster: a page at a time costs more than the copy of a read does.

const std = @import("std");
const c = std.c;

pub const File = struct {
    fd: c.fd_t,
    size: u64,

    pub fn open(path: [:0]const u8) error{FileNotFound}!File {
        const fd = c.open(path, .{ .ACCMODE = .RDONLY, .CLOEXEC = true });
        if (fd < 0) return error.FileNotFound;
        const end = c.lseek(fd, 0, c.SEEK.END);
        if (end < 0) {
            _ = c.close(fd);
            return error.FileNotFound;
        }
        return .{ .fd = fd, .size = @intCast(end) };
    }

    pub fn close(self: File) void {
        _ = c.close(self.fd);
    }

    /// Fills `into` from `offset`, or says that the file ends before.
    pub fn read(self: File, into: []u8, offset: u64) error{FileChanged}!void {
        var done: usize = 0;
        while (done < into.len) {
            const at: c.off_t = @intCast(offset + done);
            const n = c.pread(self.fd, into.ptr + done, into.len - done, at);
            if (n < 0 and c.errno(n) == .INTR) continue;
            if (n <= 0) return error.FileChanged;
            done += @intCast(n);
        }
    }
};
