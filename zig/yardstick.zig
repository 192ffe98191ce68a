//! A process that measures what this machine can do at most, to set beside what the engine does:
//! the same instructions, the same pool of threads, and nothing to wait for. It reads commands from
//! stdin, a line each, and answers each with a line of JSON. Between commands its threads sleep.
//!
//!     variants                                     what this CPU can run, best first
//!     peak VARIANT int8|float THREADS MILLISECONDS  multiply-adds of the variant's instructions
//!     control THREADS UNITS                        a fixed work: UNITS · 2^20 int8 multiply-adds
//!                                                  a thread, by the best variant
//!     memory THREADS MEGABYTES MILLISECONDS        reads of a buffer that no cache holds
//!
//! Answers have `seconds`, and `multiply_adds` or `bytes` of all threads; or `error`.

const std = @import("std");
const commands = @import("yardstick/commands.zig");

const line_max = 1 << 10;

pub fn main() !void {
    var threaded = std.Io.Threaded.init_single_threaded;
    const io = threaded.io();
    var in_buffer: [line_max]u8 = undefined;
    var out_buffer: [line_max]u8 = undefined;
    var in = std.Io.File.stdin().readerStreaming(io, &in_buffer);
    var out = std.Io.File.stdout().writerStreaming(io, &out_buffer);
    while (try in.interface.takeDelimiter('\n')) |line| {
        var words = std.mem.tokenizeScalar(u8, line, ' ');
        commands.answer(&words, &out.interface) catch |err| {
            const quoted = std.json.fmt(line, .{});
            try out.interface.print("{{\"error\":\"{s}\",\"command\":{f}}}\n", .{
                @errorName(err),
                quoted,
            });
        };
        try out.interface.flush();
    }
}
