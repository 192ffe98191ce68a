//! What the engine and the kernels say to each other. Each CPU variant is a separate object file
//! with one table of these functions; plain pointers and sizes, no plan, no pool, no allocation.

const TensorType = @import("../quants/formats.zig").TensorType;

/// Lanes of every float vector, on every CPU. A variant with narrower registers splits the lanes
/// and gets the same bits.
pub const lanes = 16;

/// Most int8 planes of a quantised activation.
pub const planes_max = 2;
/// Of two planes, what one in the first counts in units of the second: each number from -32,512 to
/// 32,512 is `255 · first + second` in just one way, with both in -127..127.
pub const plane_base = 255;

/// Rows of quantised activations: `x ≈ scale · q` in steps of 32 or 16 columns. A step is what an
/// integer dot runs over before it becomes float. With one plane q is an int8, with two it is
/// `plane_base · first + second`; the first plane alone is the row with one.
pub const Quantized = extern struct {
    /// `[rows][planes][columns]`, each in -127..127.
    values: [*]i8,
    /// `[rows][planes][columns / step]`: what one counts in that plane.
    scales: [*]f32,
    /// `[rows][planes][columns / step]`: what to add to a plane's integer dot because the weights
    /// have a bias in it, `-dot_bias · Σ` of that plane.
    corrections: [*]i32,
    /// `[rows][columns / step]`: `scale · Σ q`, for weight formats with a minimum.
    sums: [*]f32,
    /// Columns of a step: 32 or 16.
    step: usize,
    /// Columns that share a scale: 32 or 16, and no less than `step`.
    scale_block: usize,
    /// 1 or 2.
    planes: usize,

    pub fn at(self: Quantized, row: usize, columns: usize) Quantized {
        const steps = columns / self.step;
        const plane = row * self.planes;
        return .{
            .values = self.values + plane * columns,
            .scales = self.scales + plane * steps,
            .corrections = self.corrections + plane * steps,
            .sums = self.sums + row * steps,
            .step = self.step,
            .scale_block = self.scale_block,
            .planes = self.planes,
        };
    }
};

/// Where a kernel that produces rows puts them: as float32, quantised, or both.
pub const Sink = extern struct {
    /// `[rows][width]`, or null.
    float: ?[*]f32,
    quantized: Quantized,
    has_quantized: bool,
    /// `query_tile` rows, used when `float` is null.
    scratch: [*]f32,
};

/// A weight format in packed form.
///
/// Packed: `[rows / 16][columns / 4][16 rows][4 columns]` bytes, with scales (and minimums)
/// `[rows / 16][columns / weight_block][16 rows]`. One dot-product instruction then advances 16
/// outputs by 4 columns, and nothing is ever summed across lanes. Where `Kernels.weight_columns` is
/// 8, so are the 4s.
pub const Format = struct {
    /// Columns that share a weight scale: 32 or 16.
    weight_block: usize,
    /// Columns of an integer dot: the activations' step.
    step: usize,
    scale: type,
    /// `w = scale · q + minimum` rather than `w = scale · q`.
    minimum: bool,
};

/// A later form holds all that an earlier one does.
pub const FormatId = enum(u32) {
    /// Q8_0, Q4_0, Q5_0, IQ4_NL; and all others but for some rounding.
    scale_f16,
    /// Q8_0 with activations in steps of 16.
    scale_f16_fine,
    /// With a minimum, or a finer scale, per 32 columns: Q4_1, Q5_1, Q4_K, Q5_K, IQ4_XS.
    minimum_f32,
    /// With scales per 16 columns: Q2_K, Q3_K, Q6_K.
    minimum_f32_fine,

    pub const count = @typeInfo(FormatId).@"enum".fields.len;

    pub fn format(self: FormatId) Format {
        return switch (self) {
            .scale_f16 => .{ .weight_block = 32, .step = 32, .scale = f16, .minimum = false },
            .scale_f16_fine => .{ .weight_block = 32, .step = 16, .scale = f16, .minimum = false },
            .minimum_f32 => .{ .weight_block = 32, .step = 32, .scale = f32, .minimum = true },
            .minimum_f32_fine => .{ .weight_block = 16, .step = 16, .scale = f32, .minimum = true },
        };
    }

    /// Columns of an integer dot.
    pub fn step(self: FormatId) usize {
        return switch (self) {
            inline else => |id| id.format().step,
        };
    }

    /// Bytes of so many columns' scales, for the 16 rows of a group.
    pub fn scaleBytes(self: FormatId, columns: usize) usize {
        return switch (self) {
            inline else => |id| lanes * columns / id.format().weight_block *
                @sizeOf(id.format().scale),
        };
    }

    /// And of their minimums.
    pub fn minimumBytes(self: FormatId, columns: usize) usize {
        return switch (self) {
            inline else => |id| if (id.format().minimum) self.scaleBytes(columns) else 0,
        };
    }
};

/// Float weights, packed `[rows / 16][columns][16 rows]`.
pub const FloatId = enum(u32) {
    f32,
    f16,
    bf16,

    pub const count = @typeInfo(FloatId).@"enum".fields.len;

    /// Of one number.
    pub fn bytes(self: FloatId) u32 {
        return if (self == .f32) 4 else 2;
    }
};

/// What happens to a product before it is stored: `dst = product + bias + residual`.
pub const Output = extern struct {
    /// `[tokens][stride]`; the first column is row `row_begin` of the matrix, a multiple of 16.
    dst: [*]f32,
    stride: usize,
    row_begin: usize,
    /// `[rows rounded up to 16]`, or null.
    bias: ?[*]const f32,
    /// `[tokens][stride]` like `dst`, or null; may be `dst`.
    residual: ?[*]const f32,
    /// Rows of the matrix; the last group of 16 may be partly empty.
    rows: usize,
};

/// `dst[t, r] = Σ_c W[r, c] · src[t, c]` for `tokens` rows of `src` and groups of 16 rows of W.
pub const MatmulInt8 = extern struct {
    values: [*]const u8,
    /// float16 or float32, as the format says.
    scales: *const anyopaque,
    minimums: ?*const anyopaque,
    columns: usize,
    src: Quantized,
    tokens: usize,
    group_begin: usize,
    group_end: usize,
    /// Weights that this thread reads after these: they are fetched into the cache, no more.
    follow: [*]const u8,
    out: Output,
};

pub const MatmulInt8Function = *const fn (*const MatmulInt8) callconv(.c) void;

pub const MatmulFloat = extern struct {
    values: *const anyopaque,
    columns: usize,
    /// `[tokens][columns]`
    src: [*]const f32,
    tokens: usize,
    group_begin: usize,
    group_end: usize,
    out: Output,
};

pub const RmsNorm = extern struct {
    /// `[rows][width]`
    src: [*]const f32,
    weight: [*]const f32,
    /// `[rows][width]` or null; added after the norm.
    residual: ?[*]const f32,
    sink: Sink,
    /// Of a second norm, of what the first gave, or null.
    next_weight: ?[*]const f32,
    next_sink: Sink,
    rows: usize,
    width: usize,
    eps: f32,
};

pub const LayerNorm = extern struct {
    src: [*]const f32,
    weight: [*]const f32,
    bias: [*]const f32,
    sink: Sink,
    rows: usize,
    width: usize,
    eps: f32,
};

/// Columns that an activated product shares out: a block of a quantised row, and whole groups of
/// the matrix's rows.
pub const activated_columns = 32;

pub const ActivationKind = enum(u32) { gelu_erf, gelu_tanh, silu, tanh };

/// Columns `column … column + width` of the sink's rows.
pub const Activation = extern struct {
    /// `[rows][stride]`: `width` columns, and when gated as many factors from column `up` on.
    src: [*]const f32,
    stride: usize,
    up: usize,
    sink: Sink,
    rows: usize,
    /// Of the sink's rows.
    columns: usize,
    /// With a quantised sink, this and `width` are multiples of its blocks.
    column: usize,
    width: usize,
    kind: ActivationKind,
    gated: bool,
};

pub const Quantize = extern struct {
    /// `[rows][width]`
    src: [*]const f32,
    dst: Quantized,
    rows: usize,
    width: usize,
};

/// One text's tokens: RMS norm and rotary embedding of Q and K, and K's transposed, scaled copy.
pub const PrepareHeads = extern struct {
    /// First token of the text: `[tokens][stride]`, a row being `[q heads | k heads | v heads]`.
    src: [*]f32,
    stride: usize,
    /// First group of the text: `[groups][head_count_kv · head_size][16]`.
    keys: [*]f32,
    query_norm: ?[*]const f32,
    key_norm: ?[*]const f32,
    /// `[positions][head_size]`: cosines in the first half, sines in the second; or null.
    rope: ?[*]const f32,
    eps: f32,
    /// Of K's copy: it scales the scores.
    key_scale: f32,
    head_count: usize,
    head_count_kv: usize,
    head_size: usize,
    /// Tokens of the text.
    length: usize,
    /// Groups of 16 tokens to do, counted from the text's start.
    group_begin: usize,
    group_end: usize,
};

/// Queries `query_begin … query_end` of one text against its keys and values.
pub const Attention = extern struct {
    src: [*]const f32,
    stride: usize,
    keys: [*]const f32,
    /// Row of the first token of the text.
    sink: Sink,
    /// `query_tile · heads_together · (length rounded up to 16)` floats.
    scores: [*]f32,
    head_count: usize,
    head_count_kv: usize,
    head_size: usize,
    length: usize,
    query_begin: usize,
    query_end: usize,
    /// 0: no window.
    reach: usize,
    causal: bool,
};

/// Queries that `Attention` works on at a time; the same on every CPU, counted from the text's
/// start.
pub const query_tile = 4;

/// Most heads with the same keys and values that `Attention` does together.
pub const heads_together = 3;

/// Mean over the rows of one text.
pub const Mean = extern struct {
    src: [*]const f32,
    dst: [*]f32,
    rows: usize,
    width: usize,
};

/// Copies the first `dimensions` of each row, normalised by L2 if asked. False: a value is not
/// finite.
pub const Emit = extern struct {
    src: [*]const f32,
    src_stride: usize,
    dst: [*]f32,
    rows: usize,
    dimensions: usize,
    normalize: bool,
};

/// `dst = scale · row`, or `dst += row` when adding. False: a value is not finite.
pub const LookUp = extern struct {
    row: [*]const u8,
    format: TensorType,
    dst: [*]f32,
    width: usize,
    scale: f32,
    add: bool,
};

/// Turns numbers into a tensor format; the least squared error is what it looks for. False: a
/// number or a scale is too large for the format. The numbers are finite.
pub const Encode = extern struct {
    /// `[count]`
    src: [*]const f32,
    format: TensorType,
    /// Whole blocks.
    count: usize,
    dst: [*]u8,
};

/// Packs rows of a block format into lanes of one group of 16. False: a value is not finite, or too
/// large.
pub const PackInt8 = extern struct {
    /// Rows of `columns` columns, one after another.
    src: [*]const u8,
    format: TensorType,
    /// One with float16 scales, or one that holds the format as it is.
    form: FormatId,
    columns: usize,
    /// The group's `[columns / 4][16][4]`, or with 8 for 4.
    values: [*]u8,
    /// The group's `[columns / weight_block][16]`.
    scales: *anyopaque,
    /// Likewise; none in forms without.
    minimums: ?*anyopaque,
    /// Lane of the first row.
    lane: usize,
    /// At most `16 - lane`.
    rows: usize,
};

/// Packs rows of F32, F16 or BF16 in their own format. False: a value is not finite.
pub const PackFloat = extern struct {
    /// Rows of `columns` values, one after another.
    src: [*]const u8,
    format: FloatId,
    columns: usize,
    /// The group's `[columns][16]`.
    values: *anyopaque,
    /// Lane of the first row.
    lane: usize,
    /// At most `16 - lane`.
    rows: usize,
};

/// How vectors lie that a caller wants compared: a number, a byte or a bit a component. Bits are
/// signs, set where a component is above zero, the first the highest of its byte.
pub const Encoding = enum(u32) {
    float32,
    int8,
    binary,

    pub const count = @typeInfo(Encoding).@"enum".fields.len;

    pub fn rowBytes(self: Encoding, dimensions: usize) usize {
        return switch (self) {
            .float32 => dimensions * 4,
            .int8 => dimensions,
            .binary => dimensions / 8,
        };
    }
};

pub const Metric = enum(u32) { cosine, dot };

/// Rows that are scored in one go: they and some queries fit the second-level cache.
pub const scored_rows = 64;

/// Scores of rows for queries. False: one is not finite.
///
/// cosine: `Σ q·r / √(Σ q² · Σ r²)`, 0 where a vector is all zeros, never beyond ±1;
/// dot: `Σ q·r · scale of q · scale of r`. Float32 is summed in float64, where products are exact.
pub const Score = extern struct {
    metric: Metric,
    dimensions: usize,
    /// `[query_count]` vectors.
    queries: [*]const u8,
    query_count: usize,
    /// Of each query: for cosine the sum of its squares, for dot its scale.
    query_numbers: [*]const f64,
    /// `[row_count]` vectors.
    rows: [*]const u8,
    /// At most `scored_rows`.
    row_count: usize,
    /// Of each row, or null: 1.
    row_scales: ?[*]const f32,
    /// `[query_count]`
    scores: [*][scored_rows]f64,
    /// `[scored_rows]`: sums of the rows' squares.
    squares: *[scored_rows]f64,
    /// Whether they are there already, because other queries have met these rows.
    squares_known: bool,
};

/// One CPU variant.
pub const Kernels = extern struct {
    /// Bytes of packed weights are `w + weight_bias`.
    weight_bias: u32,
    /// Of weights in integer dots, which `Quantized.corrections` undoes.
    dot_bias: u32,
    /// Columns of a row that lie together in packed weights: 4 or 8.
    weight_columns: u32,
    /// By planes of the activations that are multiplied with, less one, and by format. One may be
    /// the first of two.
    matmul_int8: [planes_max][FormatId.count]MatmulInt8Function,
    matmul_float: [FloatId.count]*const fn (*const MatmulFloat) callconv(.c) void,
    rms_norm: *const fn (*const RmsNorm) callconv(.c) void,
    layer_norm: *const fn (*const LayerNorm) callconv(.c) void,
    activation: *const fn (*const Activation) callconv(.c) void,
    quantize: *const fn (*const Quantize) callconv(.c) void,
    prepare_heads: *const fn (*const PrepareHeads) callconv(.c) void,
    attention: *const fn (*const Attention) callconv(.c) void,
    mean: *const fn (*const Mean) callconv(.c) void,
    emit: *const fn (*const Emit) callconv(.c) bool,
    look_up: *const fn (*const LookUp) callconv(.c) bool,
    encode: *const fn (*const Encode) callconv(.c) bool,
    pack_int8: *const fn (*const PackInt8) callconv(.c) bool,
    pack_float: *const fn (*const PackFloat) callconv(.c) bool,
    score: [Encoding.count]*const fn (*const Score) callconv(.c) bool,
};
