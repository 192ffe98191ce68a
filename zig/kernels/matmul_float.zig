//! Matrix products of float weights (F32, F16, BF16) and float32 activations: one output a lane,
//! one fused multiply-add a column, in column order.

const interface = @import("interface.zig");
const output = @import("output.zig");
const simd = @import("simd.zig");

const Args = interface.MatmulFloat;
const lanes = simd.lanes;
const F32 = simd.F32;

pub fn Matmul(comptime id: interface.FloatId) type {
    return struct {
        pub fn run(args: *const Args) callconv(.c) void {
            for (args.group_begin..args.group_end) |group| {
                var token: usize = 0;
                const most = simd.float_tile_tokens;
                while (token + most <= args.tokens) : (token += most) {
                    tile(most, args, token, group);
                }
                inline for (1..most) |rest| {
                    if (args.tokens - token == rest) tile(rest, args, token, group);
                }
            }
        }

        fn tile(comptime tokens: usize, args: *const Args, token: usize, group: usize) void {
            var acc: [tokens][1]F32 = @splat(.{simd.splat(0)});
            const src = args.src + token * args.columns;
            for (0..args.columns) |column| {
                const w = simd.widen(id, args.values, (group * args.columns + column) * lanes);
                inline for (0..tokens) |t| {
                    const x = simd.splat(src[t * args.columns + column]);
                    acc[t][0] = simd.mulAdd(w, x, acc[t][0]);
                }
            }
            output.put(tokens, 1, &args.out, acc, token, group);
        }
    };
}
