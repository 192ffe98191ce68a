//! A model's files, read by position and never mapped.
//!
//! A mapped page whose file was cut short kills the process when it is touched; a read of it comes
//! back short. Nor is a mapping faster: a page at a time costs more than the copy of a read does.

const std = @import("std");
const builtin = @import("builtin");
const Message = @import("message.zig").Message;

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

    fn open(path: [:0]const u8) error{FileNotFound}!File {
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
    fn identity(self: File) ?Identity {
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

    fn close(self: File) void {
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

/// The files of one model: a single one, or its shards. They stay open: large tables are read from
/// them.
pub const Files = struct {
    items: []const File,

    /// Opens all, or none; `paths` has zero bytes between them.
    pub fn open(
        arena: std.mem.Allocator,
        paths: []const u8,
        message: *Message,
    ) error{ FileNotFound, OutOfMemory }!Files {
        const items = try arena.alloc(File, 1 + std.mem.countScalar(u8, paths, 0));
        var opened: usize = 0;
        errdefer for (items[0..opened]) |file| file.close();
        var rest = std.mem.splitScalar(u8, paths, 0);
        while (rest.next()) |path| : (opened += 1) {
            items[opened] = File.open(try arena.dupeZ(u8, path)) catch |err| {
                message.set("cannot open file {d} of {d}", .{ opened + 1, items.len });
                return err;
            };
        }
        return .{ .items = items };
    }

    /// Null where that of any file is.
    pub fn identities(
        self: Files,
        arena: std.mem.Allocator,
    ) error{OutOfMemory}!?[]const Identity {
        const all = try arena.alloc(Identity, self.items.len);
        for (all, self.items) |*each, file| each.* = file.identity() orelse return null;
        return all;
    }

    /// Whether they still are what they were.
    pub fn are(self: Files, known: []const Identity) bool {
        for (self.items, known) |file, before| {
            if (!std.meta.eql(file.identity(), before)) return false;
        }
        return true;
    }

    pub fn close(self: Files) void {
        for (self.items) |file| file.close();
    }
};

/// Whether both are known, and the same files.
pub fn same(a: ?[]const Identity, b: ?[]const Identity) bool {
    const left = a orelse return false;
    const right = b orelse return false;
    if (left.len != right.len) return false;
    for (left, right) |one, other| {
        if (!std.meta.eql(one, other)) return false;
    }
    return true;
}

fn nanoseconds(seconds: anytype, rest: anytype) i128 {
    return @as(i128, seconds) * std.time.ns_per_s + rest;
}
