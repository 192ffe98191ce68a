//! The boundary to TypeScript: every struct, number and name that crosses it. `zig build abi`
//! writes src/native/abi.ts from this file, so neither side is kept by hand.
//!
//! Structs start with their size. Offsets in specs count from the start of the spec's buffer.

const std = @import("std");
const assert = std.debug.assert;

/// Raised whenever anything here changes its meaning.
pub const version: u32 = 13;

/// "There is none", for every index.
pub const none: u32 = 0xffff_ffff;

/// Bytes of the message buffer that a caller passes along; messages end with a zero byte.
pub const message_size = 512;

pub const Status = enum(u32) {
    ok,
    /// The job has not finished yet.
    running,
    cancelled,
    invalid_argument,
    stale_handle,
    file_not_found,
    /// The file became shorter after it was opened.
    file_changed,
    not_finite,
    out_of_memory,
    unsupported_cpu,
    /// The operating system refused something.
    system,
    /// A file could not be written; the message is the system's name for why, as `ENOSPC`.
    not_written,
    /// A number does not fit the format that it is to have.
    too_large,
};

pub const SystemInfo = extern struct {
    size: u32,
    abi_version: u32,
    /// Index into the variant names.
    variant: u32,
    /// Bit i: this machine can run variant i.
    variants: u32,
    /// Processors that this process may run on.
    cpu_count: u32,
};

pub const WeightKind = enum(u32) { matrix, vector, table };

pub const Weight = extern struct {
    kind: u32,
    part_begin: u32,
    part_count: u32,
    rows: u32,
    columns: u32,
};

/// One tensor in a file.
pub const Part = extern struct {
    /// In its file.
    offset: u64,
    byte_length: u64,
    /// The number that GGUF uses for the type.
    type: u32,
    rows: u32,
    /// Index into the paths.
    file: u32,
    reserved: u32,
};

pub const RowKind = enum(u32) { tokens, texts, keys };

pub const Buffer = extern struct {
    rows: u32,
    width: u32,
    /// 0 or 1.
    float: u32,
    /// int8 planes of the quantised form: 0, 1 or 2.
    quantized: u32,
};

pub const OperationCode = enum(u32) {
    embed,
    add_position,
    add_row,
    add_type,
    rms_norm,
    layer_norm,
    matmul,
    activated_matmul,
    quantize,
    prepare_heads,
    attention,
    activation,
    pool,
    output,
};

/// Whether an operation multiplies with a matrix.
pub fn isMatmul(code: u32) bool {
    return switch (@as(OperationCode, @enumFromInt(code))) {
        .matmul, .activated_matmul => true,
        else => false,
    };
}

pub const ActivationKind = enum(u32) { gelu_erf, gelu_tanh, silu, tanh };
pub const Pooling = enum(u32) { none, mean, cls, last };
pub const Parallelism = enum(u32) { auto, texts, matmul };

/// One operation; which fields count depends on the code. Absent indices are `none`.
pub const Operation = extern struct {
    code: u32,
    src: u32,
    dst: u32,
    /// Weight: the table, matrix, norm weight or query norm.
    weight: u32,
    /// Weight: bias, key norm or the weight of a second norm.
    second: u32,
    /// Buffer.
    residual: u32,
    /// Buffer: K, or where a second norm goes.
    keys: u32,
    /// Activation kind or pooling.
    kind: u32,
    /// Position offset, row, destination column or reach.
    value: u32,
    /// Gated or causal.
    flag: u32,
    head_count: u32,
    head_count_kv: u32,
    head_size: u32,
    /// Rows of an int8 matrix from here on are multiplied with both planes of the source, those
    /// before it with the first. A multiple of 16, or the number of rows.
    fine_row: u32,
    /// Scale of an embedding, epsilon of a norm.
    number: f64,
    rope_base: f64,
    query_scale: f64,
};

/// Followed in the same buffer by weights, parts, buffers, operations and the paths of
/// the files, with zero bytes between them.
pub const LoadSpec = extern struct {
    size: u32,
    abi_version: u32,
    /// Index into the variant names, or none for the best.
    variant: u32,
    threads: u32,
    parallelism: u32,
    context_length: u32,
    vocab_size: u32,
    /// Types that a token can have, 1 or more. In a batch, token `id` of type `type` is
    /// `type · vocab_size + id`.
    type_count: u32,
    embedding_size: u32,
    hidden_size: u32,
    /// Most tokens in one batch.
    token_capacity: u32,
    /// 1: weights keep the values that the file gives them. 0: all blocks become an int8 a column
    /// and one scale for 32 of them.
    exact_weights: u32,
    weight_count: u32,
    weight_offset: u32,
    part_count: u32,
    part_offset: u32,
    buffer_count: u32,
    buffer_offset: u32,
    operation_count: u32,
    operation_offset: u32,
    paths_length: u32,
    paths_offset: u32,
};

/// One batch; token ids (int32) and text lengths (uint32) come beside it.
pub const EmbedSpec = extern struct {
    size: u32,
    text_count: u32,
    token_count: u32,
    dimensions: u32,
    /// 0 or 1.
    normalize: u32,
    /// 1: a vector for every token instead of one for every text.
    token_level: u32,
    /// Index of an operation after which to stop, its destination being the result; or none. It
    /// must have a row for each text, or for each token, as `token_level` says.
    probe: u32,
    /// 1: nanoseconds follow the vectors, `[threads][operations][2]`: what each thread spent on
    /// each operation, and then waiting for the others.
    profile: u32,
    /// 1: the caller waits for the job, and its channel need not tell of it.
    awaited: u32,
};

/// What `take` tells of a finished job.
pub const Result = extern struct {
    size: u32,
    status: u32,
    /// Handle of the engine that a load made.
    engine: u64,
    /// Floats that were copied out.
    float_count: u64,
    /// Time the job ran, without waiting in the queue.
    run_ns: u64,
    /// Index of the tensor part at fault, or none.
    part: u32,
    reserved: u32,
};

/// What is to be known of a loaded model.
pub const Stats = extern struct {
    size: u32,
    /// Index into the variant names.
    variant: u32,
    /// Threads that a batch may use: those asked for, or as many as the system gave.
    threads: u32,
    /// Loaded models that share these packed weights, this one included.
    sharers: u32,
    /// Bytes of packed weights.
    weight_bytes: u64,
    /// Bytes in memory of activation buffers and scratch.
    workspace_bytes: u64,
};

/// A run of a file's tensors that is to become one of another's.
pub const Passage = extern struct {
    source_offset: u64,
    target_offset: u64,
    /// Numbers, in whole blocks of both types; or bytes, where both are none and nothing changes.
    count: u64,
    /// The numbers that GGUF uses for the types.
    source_type: u32,
    target_type: u32,
    /// Added to every number, as float32; 0 where nothing is.
    plus: f64,
};

/// Followed in the same buffer by the passages. Both files must stay open until the job is done.
pub const RewriteSpec = extern struct {
    size: u32,
    abi_version: u32,
    /// Index into the variant names, or none for the best.
    variant: u32,
    threads: u32,
    source_fd: u32,
    target_fd: u32,
    passage_count: u32,
    passage_offset: u32,
};

pub const Encoding = enum(u32) { float32, int8, binary };
pub const Metric = enum(u32) { cosine, dot };

/// A part of the rows of a search, and how they are compared.
pub const SearchSpec = extern struct {
    size: u32,
    /// Index into the variant names, or none for the best.
    variant: u32,
    encoding: u32,
    metric: u32,
    dimensions: u32,
    query_count: u32,
    row_count: u32,
    /// Number of the first of them among all rows of the search, which come in order.
    first_row: u32,
    /// Most rows that are kept for each query.
    capacity: u32,
};

comptime {
    assert(@sizeOf(SystemInfo) == 20);
    assert(@sizeOf(Weight) == 20);
    assert(@sizeOf(Part) == 32);
    assert(@sizeOf(Buffer) == 16);
    assert(@sizeOf(Operation) == 80);
    assert(@offsetOf(Operation, "number") == 56);
    assert(@sizeOf(LoadSpec) == 88);
    assert(@sizeOf(EmbedSpec) == 36);
    assert(@sizeOf(Result) == 40);
    assert(@offsetOf(Result, "engine") == 8);
    assert(@sizeOf(Stats) == 32);
    assert(@offsetOf(Stats, "weight_bytes") == 16);
    assert(@sizeOf(Passage) == 40);
    assert(@sizeOf(RewriteSpec) == 32);
    assert(@sizeOf(SearchSpec) == 36);
}
