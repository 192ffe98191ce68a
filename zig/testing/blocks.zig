//! Blocks of every format, and what gguf-py makes of them: `test/fixtures/blocks.txt`. A line has
//! the format, the block's bytes and its values as float32, both in hexadecimal, little-endian.

const std = @import("std");
const TensorType = @import("../quants/formats.zig").TensorType;

const text = @embedFile("blocks");

pub const Block = struct {
    format: TensorType,
    bytes: []const u8,
    values: []const f32,
};

/// All blocks of a format.
pub fn of(arena: std.mem.Allocator, format: TensorType) ![]const Block {
    var result: std.ArrayList(Block) = .empty;
    var lines = std.mem.tokenizeScalar(u8, text, '\n');
    while (lines.next()) |line| {
        var fields = std.mem.tokenizeScalar(u8, line, ' ');
        if (!std.ascii.eqlIgnoreCase(fields.next().?, @tagName(format))) continue;
        const bytes = fields.next().?;
        const values = fields.next().?;
        const block: Block = .{
            .format = format,
            .bytes = try std.fmt.hexToBytes(try arena.alloc(u8, bytes.len / 2), bytes),
            .values = try arena.alloc(f32, values.len / 8),
        };
        _ = try std.fmt.hexToBytes(@ptrCast(@constCast(block.values)), values);
        try result.append(arena, block);
    }
    return result.items;
}
