//! Matrix products of packed int8 weights and quantised activations.
//!
//! Each output is one lane. Integer dots run over a step of 32 (or 16) columns and are exact; what
//! follows them is one fused multiply-add per step, in column order. So the tile's shape, the
//! number of tokens in a call and the instruction set do not change a bit.
//!
//! Two planes of activations are two dots, joined as integers: at most 32 · 255 · 32,385 with the
//! bias of the weights, an eighth of what an int32 holds.

const interface = @import("interface.zig");
const output = @import("output.zig");
const scales = @import("scales.zig");
const simd = @import("simd.zig");
const simd_int8 = @import("simd_int8.zig");

const Args = interface.MatmulInt8;
const Format = interface.Format;
const lanes = simd.lanes;
const F32 = simd.F32;
const I32 = simd.I32;
const Scales = scales.Scales;
const joinPlanes = scales.joinPlanes;

/// The function for one packed format and the first so many planes of activations.
pub fn Matmul(comptime format: Format, comptime planes: usize) type {
    return struct {
        const tile_tokens = simd_int8.tileOf(planes).tokens;
        const tile_groups = simd_int8.tileOf(planes).groups;

        pub fn run(args: *const Args) callconv(.c) void {
            var group = args.group_begin;
            while (group + tile_groups <= args.group_end) : (group += tile_groups) {
                allTokens(tile_groups, args, group);
            }
            inline for (1..tile_groups) |rest| {
                if (args.group_end - group == rest) allTokens(rest, args, group);
            }
        }

        /// Tokens run inside groups of rows: a panel of weights stays in the first-level cache.
        fn allTokens(comptime groups: usize, args: *const Args, group: usize) void {
            var ahead: Ahead = .init(groups, args, group);
            var token: usize = 0;
            while (token + tile_tokens <= args.tokens) : (token += tile_tokens) {
                tile(tile_tokens, groups, args, token, group, &ahead);
            }
            inline for (1..tile_tokens) |rest| {
                if (args.tokens - token == rest) tile(rest, groups, args, token, group, &ahead);
            }
        }

        /// The next panel, fetched into the second-level cache while this one is used. A short text
        /// is bound by reading the weights, and then the tiles of a panel share that work: if the
        /// first did it all, the others would leave the memory idle.
        const Ahead = struct {
            next: [*]const u8,
            lines: usize,
            lines_per_step: usize,

            const line = 64;

            fn init(comptime groups: usize, args: *const Args, group: usize) Ahead {
                const last = group + groups >= args.group_end;
                const cells = groups * args.columns * lanes;
                const tiles = (args.tokens + tile_tokens - 1) / tile_tokens;
                const lines_of_step = groups * format.step * lanes / line;
                return .{
                    .next = if (last)
                        args.follow
                    else
                        args.values + (group + groups) * args.columns * lanes,
                    .lines = cells / line,
                    .lines_per_step = (lines_of_step + tiles - 1) / tiles,
                };
            }

            inline fn advance(self: *Ahead) void {
                const n = @min(self.lines, self.lines_per_step);
                for (0..n) |i| @prefetch(self.next + i * line, .{ .locality = 2 });
                self.next += n * line;
                self.lines -= n;
            }
        };

        fn tile(
            comptime tokens: usize,
            comptime groups: usize,
            args: *const Args,
            token: usize,
            group: usize,
            ahead: *Ahead,
        ) void {
            const steps = args.columns / format.step;
            output.prepare(tokens, groups, &args.out, token, group);
            var acc: [tokens][groups]F32 = @splat(@splat(simd.splat(0)));
            for (0..steps) |step| {
                ahead.advance();
                const dots = integerDots(tokens, groups, args, token, group, step);
                inline for (0..groups) |g| {
                    const block: Scales(format, planes) = .init(args, group + g, step);
                    inline for (0..tokens) |t| {
                        acc[t][g] = block.add(acc[t][g], dots[t][g], args, token + t, step);
                    }
                }
            }
            output.put(tokens, groups, &args.out, acc, token, group);
        }

        inline fn integerDots(
            comptime tokens: usize,
            comptime groups: usize,
            args: *const Args,
            token: usize,
            group: usize,
            step: usize,
        ) [tokens][groups]I32 {
            const steps = args.columns / format.step;
            const column = step * format.step;
            var weights: [groups][*]const u8 = undefined;
            inline for (0..groups) |g| {
                weights[g] = args.values + ((group + g) * args.columns + column) * lanes;
            }
            const rows = tokens * planes;
            // Planes follow one another: of two, one alone is every other row.
            const first = token * args.src.planes;
            const pitch = args.src.planes / planes;
            var start: [rows]i32 = @splat(0);
            if (simd_int8.dot_bias != 0) inline for (0..rows) |r| {
                start[r] = args.src.corrections[(first + r * pitch) * steps + step];
            };
            const dots = simd_int8.dots(
                format.step,
                rows,
                groups,
                weights,
                args.src.values + first * args.columns + column,
                pitch * args.columns,
                start,
            );
            return if (planes == 1) dots else joined(tokens, groups, dots);
        }

        inline fn joined(
            comptime tokens: usize,
            comptime groups: usize,
            dots: [tokens * planes][groups]I32,
        ) [tokens][groups]I32 {
            var result: [tokens][groups]I32 = undefined;
            inline for (&result, 0..) |*row, t| {
                inline for (row, 0..) |*sum, g| {
                    sum.* = joinPlanes(dots[planes * t][g], dots[planes * t + 1][g]);
                }
            }
            return result;
        }
    };
}
