//! A ragged batch: which tokens and which groups of keys belong to which text.

const std = @import("std");
const abi = @import("abi.zig");
const interface = @import("kernels/interface.zig");

const lanes = interface.lanes;

pub const Text = struct {
    /// First token in the batch.
    token_begin: usize,
    length: usize,
    /// First group of 16 tokens in a keys buffer.
    group_begin: usize,

    pub fn groupCount(self: Text) usize {
        return (self.length + lanes - 1) / lanes;
    }
};

/// Rows of buffers by their kind.
pub const Rows = struct {
    tokens: usize = 0,
    /// Groups of 16 tokens in a keys buffer.
    groups: usize = 0,
};

pub const Batch = struct {
    ids: []const i32,
    texts: []const Text,
    dimensions: usize,
    normalize: bool,
    token_level: bool,
    /// Stop after this operation and give its destination.
    probe: u32,
    /// `[texts or tokens][dimensions]`
    output: []f32,
    /// Where the times of operations go, if they are wanted; see `run.profileLength`.
    profile: ?[]f32,
    cancel: *const std.atomic.Value(bool),

    /// Whether the rows before pooling are the result.
    pub fn endsAtPool(self: *const Batch) bool {
        return self.token_level and self.probe == abi.none;
    }

    /// Tokens of the longest text.
    pub fn longest(self: *const Batch) usize {
        var length: usize = 0;
        for (self.texts) |text| length = @max(length, text.length);
        return length;
    }

    pub fn cancelled(self: *const Batch) bool {
        return self.cancel.load(.monotonic);
    }
};

/// Lays texts of the given lengths one after another.
pub fn layOut(texts: []Text, lengths: []align(1) const u32) void {
    std.debug.assert(texts.len == lengths.len);
    var token: usize = 0;
    var group: usize = 0;
    for (texts, lengths) |*text, length| {
        text.* = .{ .token_begin = token, .length = length, .group_begin = group };
        token += length;
        group += text.groupCount();
    }
}

/// The part of a batch that one thread works on: in `texts` parallelism whole texts, alone; in
/// `matmul` parallelism all texts, sharing each operation with the other threads.
pub const Span = struct {
    text_begin: usize,
    text_end: usize,
    token_begin: usize,
    token_end: usize,
    /// This thread is number `part` of `parts` that share the span.
    part: usize,
    parts: usize,

    pub fn tokens(self: Span) usize {
        return self.token_end - self.token_begin;
    }

    /// This thread's share of `count` units.
    pub fn share(self: Span, count: usize) Range {
        return .{
            .begin = count * self.part / self.parts,
            .end = count * (self.part + 1) / self.parts,
        };
    }

    /// This thread's share of the span's rows in a buffer of tokens or texts.
    pub fn rows(self: Span, kind: abi.RowKind) Range {
        const first = if (kind == .texts) self.text_begin else self.token_begin;
        const count = if (kind == .texts) self.text_end - self.text_begin else self.tokens();
        const own = self.share(count);
        return .{ .begin = first + own.begin, .end = first + own.end };
    }
};

pub const Range = struct {
    begin: usize,
    end: usize,

    pub fn len(self: Range) usize {
        return self.end - self.begin;
    }
};
