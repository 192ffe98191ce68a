//! How a JavaScript thread learns that jobs are done: a list of tickets, and one byte on a socket
//! when the list stops being empty. At most one byte is ever under way, so nobody can block on a
//! full socket, however many jobs finish while the reader is busy.

const builtin = @import("builtin");
const std = @import("std");
const c = std.c;
const Handle = @import("handles.zig").Handle;

/// Jobs that may be unfinished, or finished and not yet drained.
const jobs_max = 1 << 16;

/// Darwin takes neither `SOCK_CLOEXEC` nor, before its later releases, `MSG_NOSIGNAL`: there both
/// are set once a socket exists.
const is_darwin = builtin.os.tag.isDarwin();
const send_flags = if (is_darwin) 0 else c.MSG.NOSIGNAL;

pub const Channel = struct {
    /// Ours, to write to. The other end belongs to the JavaScript side, which closes it.
    write_fd: c.fd_t,
    done: std.ArrayList(Handle) = .empty,
    unfinished: usize = 0,
    signalled: bool = false,

    pub const Ends = struct { ours: c.fd_t, theirs: c.fd_t };

    pub fn open() error{System}!Ends {
        var fds: [2]c.fd_t = undefined;
        const kind = c.SOCK.STREAM | if (is_darwin) 0 else c.SOCK.CLOEXEC;
        if (c.socketpair(c.AF.UNIX, kind, 0, &fds) != 0) return error.System;
        errdefer for (fds) |fd| {
            _ = c.close(fd);
        };
        if (is_darwin) for (fds) |fd| try setDarwinOptions(fd);
        return .{ .ours = fds[0], .theirs = fds[1] };
    }

    pub fn close(self: *Channel, gpa: std.mem.Allocator) void {
        _ = c.close(self.write_fd);
        self.done.deinit(gpa);
    }

    /// Whether the other end is closed: its JavaScript thread has ended.
    pub fn isAbandoned(self: *const Channel) bool {
        var fds = [_]c.pollfd{.{ .fd = self.write_fd, .events = 0, .revents = 0 }};
        return c.poll(&fds, fds.len, 0) == 1 and fds[0].revents & c.POLL.HUP != 0;
    }

    /// Makes room for one more ticket, so that finishing a job cannot fail.
    pub fn reserve(self: *Channel, gpa: std.mem.Allocator) error{OutOfMemory}!void {
        const wanted = self.unfinished + 1;
        if (self.done.items.len + wanted > jobs_max) return error.OutOfMemory;
        try self.done.ensureUnusedCapacity(gpa, wanted);
    }

    /// Adds a ticket, for which `reserve` made room.
    pub fn push(self: *Channel, ticket: Handle) void {
        self.unfinished -= 1;
        self.done.appendAssumeCapacity(ticket);
        if (self.signalled) return;
        // A closed reader is no error: nobody waits any more.
        self.signalled = c.send(self.write_fd, "\x01", 1, send_flags) == 1;
    }

    /// Moves finished tickets out, oldest first.
    pub fn drain(self: *Channel, into: []Handle) usize {
        const n = @min(into.len, self.done.items.len);
        @memcpy(into[0..n], self.done.items[0..n]);
        const rest = self.done.items.len - n;
        std.mem.copyForwards(Handle, self.done.items[0..rest], self.done.items[n..]);
        self.done.shrinkRetainingCapacity(rest);
        if (rest == 0) self.signalled = false;
        return n;
    }
};

/// Closed in programs that the process starts; a reader that left is an error, not a signal.
fn setDarwinOptions(fd: c.fd_t) error{System}!void {
    if (c.fcntl(fd, c.F.SETFD, @as(c_int, c.FD_CLOEXEC)) != 0) return error.System;
    const on: c_int = 1;
    const size = @sizeOf(c_int);
    if (c.setsockopt(fd, c.SOL.SOCKET, c.SO.NOSIGPIPE, &on, size) != 0) return error.System;
}

test "tickets come out in the order they finished, and one byte tells of many" {
    const gpa = std.testing.allocator;
    const ends = try Channel.open();
    defer _ = c.close(ends.theirs);
    var channel: Channel = .{ .write_fd = ends.ours };
    defer channel.close(gpa);
    for (0..5) |_| {
        try channel.reserve(gpa);
        channel.unfinished += 1;
    }
    for ([_]Handle{ 7, 3, 9, 1, 5 }) |ticket| channel.push(ticket);
    try std.testing.expectEqual(1, bytesWaiting(ends.theirs));
    var two: [2]Handle = undefined;
    try std.testing.expectEqual(2, channel.drain(&two));
    try std.testing.expectEqual([_]Handle{ 7, 3 }, two);
    try std.testing.expectEqual(2, channel.drain(&two));
    try std.testing.expectEqual([_]Handle{ 9, 1 }, two);
    try std.testing.expectEqual(1, channel.drain(&two));
    try std.testing.expectEqual(5, two[0]);
    try std.testing.expectEqual(0, channel.drain(&two));

    // An empty list that fills again says so again.
    try channel.reserve(gpa);
    channel.unfinished += 1;
    channel.push(8);
    try std.testing.expectEqual(1, bytesWaiting(ends.theirs));
}

test "there is room for every unfinished job, whatever was not drained" {
    const gpa = std.testing.allocator;
    const ends = try Channel.open();
    defer _ = c.close(ends.theirs);
    var channel: Channel = .{ .write_fd = ends.ours };
    defer channel.close(gpa);
    for (0..1000) |i| {
        for (0..3) |_| {
            try channel.reserve(gpa);
            channel.unfinished += 1;
        }
        const room = channel.done.capacity - channel.done.items.len;
        try std.testing.expect(room >= channel.unfinished);
        for (0..3) |_| channel.push(i);
    }
}

/// Takes what a socket holds; how many bytes.
fn bytesWaiting(fd: c.fd_t) isize {
    var bytes: [16]u8 = undefined;
    return c.recv(fd, &bytes, bytes.len, c.MSG.DONTWAIT);
}

test "both ends are closed in programs that the process starts, and a closed reader is no signal" {
    const ends = try Channel.open();
    for ([_]c.fd_t{ ends.ours, ends.theirs }) |fd| {
        try std.testing.expectEqual(c.FD_CLOEXEC, c.fcntl(fd, c.F.GETFD));
    }
    _ = c.close(ends.theirs);
    var channel: Channel = .{ .write_fd = ends.ours };
    defer channel.close(std.testing.allocator);
    try channel.reserve(std.testing.allocator);
    channel.unfinished += 1;
    // SIGPIPE would end the tests here.
    channel.push(3);
    try std.testing.expect(!channel.signalled);
    try std.testing.expect(channel.isAbandoned());
}
