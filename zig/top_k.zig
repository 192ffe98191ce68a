//! The best of many scores, as they come: a heap of those kept, the worst on top.

const std = @import("std");
const assert = std.debug.assert;

/// Higher scores are better; of equal ones that with the lower index.
pub const TopK = struct {
    /// Room for those that are kept.
    scores: []f64,
    indices: []u32,
    count: usize,

    /// Scores of the rows from `first_index` on, which must be higher than any index before.
    pub fn offer(self: *TopK, scores: []const f64, first_index: u32) void {
        for (scores, 0..) |score, i| {
            const index = first_index + @as(u32, @intCast(i));
            if (self.count < self.scores.len) {
                self.count += 1;
                self.rise(self.count - 1, score, index);
            } else if (score > self.scores[0]) {
                self.sink(score, index);
            }
        }
    }

    /// Takes the worst off the heap and puts each behind what is left of it, until `left` are in
    /// the heap. With none left, the best is first.
    pub fn sortDownTo(self: *TopK, left: usize) void {
        while (self.count > left) {
            self.count -= 1;
            const last = self.count;
            const score = self.scores[last];
            const index = self.indices[last];
            self.scores[last] = self.scores[0];
            self.indices[last] = self.indices[0];
            if (last > 0) self.sink(score, index);
        }
    }

    fn rise(self: *TopK, from: usize, score: f64, index: u32) void {
        var at = from;
        while (at > 0) {
            const parent = (at - 1) / 2;
            if (!isWorse(score, index, self.scores[parent], self.indices[parent])) break;
            self.move(at, parent);
            at = parent;
        }
        self.scores[at] = score;
        self.indices[at] = index;
    }

    /// In place of the worst.
    fn sink(self: *TopK, score: f64, index: u32) void {
        var at: usize = 0;
        while (true) {
            var child = 2 * at + 1;
            if (child >= self.count) break;
            if (child + 1 < self.count and self.isWorseAt(child + 1, child)) child += 1;
            if (!isWorse(self.scores[child], self.indices[child], score, index)) break;
            self.move(at, child);
            at = child;
        }
        self.scores[at] = score;
        self.indices[at] = index;
    }

    fn move(self: *TopK, to: usize, from: usize) void {
        self.scores[to] = self.scores[from];
        self.indices[to] = self.indices[from];
    }

    fn isWorseAt(self: *const TopK, a: usize, b: usize) bool {
        return isWorse(self.scores[a], self.indices[a], self.scores[b], self.indices[b]);
    }

    fn isWorse(score: f64, index: u32, other: f64, other_index: u32) bool {
        assert(!std.math.isNan(score));
        return score < other or (score == other and index > other_index);
    }
};
