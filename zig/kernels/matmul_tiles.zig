//! Matrix products by AMX. The packed form is a tile as it is: of 16 rows of a matrix, the columns
//! of a step.
//!
//! A tile product sums a step only. Its int32 sums go through memory, the first-level cache, and
//! become float there as they do in matmul_int8.zig: so the bits are the same. One step is
//! multiplied while the one before it becomes float.

const interface = @import("interface.zig");
const matmul_int8 = @import("matmul_int8.zig");
const output = @import("output.zig");
const scales = @import("scales.zig");
const simd = @import("simd.zig");
const simd_tiles = @import("simd_tiles.zig");

const Args = interface.MatmulInt8;
const Format = interface.Format;
const lanes = simd.lanes;
const F32 = simd.F32;
const I32 = simd.I32;
const Scales = scales.Scales;
const joinPlanes = scales.joinPlanes;

/// The function for one packed format and the first so many planes of activations. Weights have no
/// bias.
pub fn Matmul(comptime format: Format, comptime planes: usize, comptime Tiles: type) type {
    return struct {
        /// For what is left below half a tile.
        const Vectors = matmul_int8.Matmul(format, planes);

        /// A plane of a token is a row of a tile.
        const full = simd_tiles.rows_max;
        const half = full / 2;

        const Registers = struct { sums: u3, left: u3, right: u3 };

        /// Which registers tiles of so many rows use. Every other step uses others, so that none
        /// waits for the one before.
        fn registers(comptime rows: usize, comptime odd: u1) Registers {
            if (rows == half) return .{ .sums = 6, .left = 7, .right = 4 + @as(u3, odd) };
            return .{ .sums = odd, .left = 2 + @as(u3, odd), .right = 4 + @as(u3, odd) };
        }

        const config = blk: {
            var result: simd_tiles.Config = .{};
            for ([_]usize{ full, half }) |rows| for (0..2) |odd| {
                const r = registers(rows, odd);
                result.set(r.sums, rows, lanes * @sizeOf(i32));
                result.set(r.left, rows, format.step);
                result.set(r.right, format.step / 4, lanes * 4);
            };
            break :blk result;
        };

        pub fn run(args: *const Args) callconv(.c) void {
            if (args.tokens * planes < half) return Vectors.run(args);
            var tiles: Tiles = .configure(&config);
            defer tiles.release();
            for (args.group_begin..args.group_end) |group| allTokens(args, &tiles, group);
        }

        fn allTokens(args: *const Args, tiles: *Tiles, group: usize) void {
            const next = if (group + 1 < args.group_end)
                args.values + (group + 1) * args.columns * lanes
            else
                args.follow;
            const count = (args.tokens * planes + full - 1) / full;
            var token: usize = 0;
            while (token + full / planes <= args.tokens) : (token += full / planes) {
                const part = token / (full / planes);
                tile(full, args, tiles, token, group, .{ .next = next, .part = part, .of = count });
            }
            if (token + half / planes <= args.tokens) {
                const part = count - 1;
                tile(half, args, tiles, token, group, .{ .next = next, .part = part, .of = count });
                token += half / planes;
            }
            if (token < args.tokens) Vectors.run(&rest(args, token, group, next));
        }

        /// The next group of rows, fetched into the cache: all tiles of this one share that work,
        /// as in matmul_int8.zig.
        const Ahead = struct {
            next: [*]const u8,
            part: usize,
            of: usize,

            inline fn advance(self: Ahead, step: usize) void {
                const line = 64;
                const lines = format.step * lanes / line;
                const panel = self.next + step * format.step * lanes;
                for (lines * self.part / self.of..lines * (self.part + 1) / self.of) |i| {
                    @prefetch(panel + i * line, .{});
                }
            }
        };

        /// Tokens from `token` on, for one group of rows.
        fn rest(args: *const Args, token: usize, group: usize, next: [*]const u8) Args {
            var result = args.*;
            result.src = args.src.at(token, args.columns);
            result.tokens = args.tokens - token;
            result.group_begin = group;
            result.group_end = group + 1;
            result.follow = next;
            result.out.dst += token * args.out.stride;
            if (args.out.residual) |residual| {
                result.out.residual = residual + token * args.out.stride;
            }
            return result;
        }

        /// Integer sums of one step.
        fn Sums(comptime rows: usize) type {
            return [rows][lanes]i32;
        }

        fn tile(
            comptime rows: usize,
            args: *const Args,
            tiles: *Tiles,
            token: usize,
            group: usize,
            ahead: Ahead,
        ) void {
            const steps = args.columns / format.step;
            var acc: [rows / planes]F32 = @splat(simd.splat(0));
            var sums: [2]Sums(rows) align(64) = undefined;
            multiply(rows, 0, args, tiles, token, group, 0, &sums[0]);
            var step: usize = 1;
            while (step < steps) : (step += 1) {
                ahead.advance(step);
                const now = step % 2;
                if (now == 0) {
                    multiply(rows, 0, args, tiles, token, group, step, &sums[0]);
                } else {
                    multiply(rows, 1, args, tiles, token, group, step, &sums[1]);
                }
                accumulate(rows, args, token, group, step - 1, &sums[1 - now], &acc);
            }
            ahead.advance(0);
            accumulate(rows, args, token, group, steps - 1, &sums[(steps - 1) % 2], &acc);
            output.put(rows / planes, 1, &args.out, @bitCast(acc), token, group);
        }

        inline fn multiply(
            comptime rows: usize,
            comptime odd: u1,
            args: *const Args,
            tiles: *Tiles,
            token: usize,
            group: usize,
            step: usize,
            into: *Sums(rows),
        ) void {
            const r = comptime registers(rows, odd);
            const column = step * format.step;
            const activations = args.src.values + token * args.src.planes * args.columns + column;
            // Planes follow one another: of two, one alone is every other row.
            const pitch = args.src.planes / planes;
            const weights = args.values + (group * args.columns + column) * lanes;
            tiles.zero(r.sums);
            tiles.load(r.left, @ptrCast(activations), pitch * args.columns);
            tiles.load(r.right, weights, lanes * 4);
            tiles.dot(r.sums, r.left, r.right);
            tiles.store(r.sums, @ptrCast(into), lanes * @sizeOf(i32));
        }

        inline fn accumulate(
            comptime rows: usize,
            args: *const Args,
            token: usize,
            group: usize,
            step: usize,
            sums: *const Sums(rows),
            acc: *[rows / planes]F32,
        ) void {
            const block: Scales(format, planes) = .init(args, group, step);
            inline for (acc, 0..) |*a, t| {
                var dot: I32 = sums[t * planes];
                if (planes == 2) dot = joinPlanes(dot, sums[t * planes + 1]);
                a.* = block.add(a.*, dot, args, token + t, step);
            }
        }
    };
}
