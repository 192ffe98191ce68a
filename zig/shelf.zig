//! What several engines share: found again by what it was made of, and gone with its last user.

/// `T` has `users`, how many have it; `next`, for this list; `matches`, whether it is what somebody
/// wants; and `destroy`. Only the dispatcher thread comes here, so that nothing needs a lock.
pub fn Shelf(comptime T: type) type {
    return struct {
        first: ?*T = null,

        const Self = @This();

        /// One more user of what is there already.
        pub fn take(self: *Self, wanted: anytype) ?*T {
            var next = self.first;
            while (next) |item| : (next = item.next) {
                if (!item.matches(wanted)) continue;
                item.users += 1;
                return item;
            }
            return null;
        }

        /// The first user's.
        pub fn add(self: *Self, item: *T) void {
            item.users = 1;
            item.next = self.first;
            self.first = item;
        }

        /// One user less.
        pub fn release(self: *Self, item: *T) void {
            item.users -= 1;
            if (item.users > 0) return;
            var link = &self.first;
            while (link.*.? != item) link = &link.*.?.next;
            link.* = item.next;
            item.destroy();
        }
    };
}

test "an item is found by what it is, and goes with its last user, from any place" {
    const std = @import("std");
    const Item = struct {
        name: u8,
        users: usize = 0,
        next: ?*@This() = null,
        gone: bool = false,

        fn matches(self: *const @This(), name: u8) bool {
            return self.name == name;
        }

        fn destroy(self: *@This()) void {
            self.gone = true;
        }
    };
    var shelf: Shelf(Item) = .{};
    var items = [_]Item{ .{ .name = 'a' }, .{ .name = 'b' }, .{ .name = 'c' } };
    for (&items) |*item| shelf.add(item);
    try std.testing.expectEqual(null, shelf.take('d'));
    try std.testing.expectEqual(&items[1], shelf.take('b').?);
    shelf.release(&items[1]);
    try std.testing.expect(!items[1].gone);
    for ([_]usize{ 1, 2, 0 }) |i| {
        shelf.release(&items[i]);
        try std.testing.expect(items[i].gone);
        try std.testing.expectEqual(null, shelf.take(items[i].name));
    }
    try std.testing.expectEqual(null, shelf.first);
}
