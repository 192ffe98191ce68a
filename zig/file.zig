//! A model file, read by position and never mapped.
//!
//! A mapped page whose file was cut short kills the process when it is touched; a read of it comes
//! back short. Nor is a mapping faster: a page at a time costs more than the copy of a read does.

const std = @import("std");
const builtin = @import("builtin");
const c = std.c;
const linux = std.os.linux;

/// By which a file is known again, and known to have changed.
pub const Identity = struct {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i128,
    /// When its bytes, name or owner were last changed; nobody can set it back.
    changed_ns: i128,
};

/// The steps in which the clocks of file systems go: what was changed just now may be changed once
/// more without showing it.
const clock_step_ns = 20 * std.time.ns_per_ms;

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

    /// Null where the system does not tell, and for a file that is too new to be known again.
    pub fn identity(self: File) ?Identity {
        const found = self.stat() orelse return null;
        var time: c.timespec = undefined;
        _ = c.clock_gettime(.REALTIME, &time);
        const age = nanoseconds(time.sec, time.nsec) - found.changed_ns;
        return if (age > clock_step_ns) found else null;
    }

    fn stat(self: File) ?Identity {
        if (builtin.os.tag != .linux) return null;
        var found: linux.Statx = undefined;
        const result = linux.statx(self.fd, "", linux.AT.EMPTY_PATH, .BASIC_STATS, &found);
        if (linux.errno(result) != .SUCCESS) return null;
        return .{
            .device = @as(u64, found.dev_major) << 32 | found.dev_minor,
            .inode = found.ino,
            .size = found.size,
            .modified_ns = nanoseconds(found.mtime.sec, found.mtime.nsec),
            .changed_ns = nanoseconds(found.ctime.sec, found.ctime.nsec),
        };
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

fn nanoseconds(seconds: anytype, rest: anytype) i128 {
    return @as(i128, seconds) * std.time.ns_per_s + rest;
}
