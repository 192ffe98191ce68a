//! What comes out of a loaded model, and what a damaged file says.

const std = @import("std");
const abi = @import("../abi.zig");
const fixtures = @import("fixture.zig");
const plan = @import("../plan.zig");
const TensorType = @import("../quants/formats.zig").TensorType;
const tiny = @import("tiny.zig");

const testing = std.testing;
const Fixture = fixtures.Fixture;
const Tiny = tiny.Tiny;
const by_text = fixtures.by_text;
const by_token = fixtures.by_token;
const ids = fixtures.ids;
const lengths = fixtures.lengths;

test "the same bits on any threads, in either parallelism, for texts, tokens and probes" {
    const bytes = Tiny.file();
    var fixture: Fixture = undefined;
    try fixture.init(&bytes);
    defer fixture.deinit();
    var probed = by_token;
    probed.probe = tiny.quantize_index;
    const specs = [_]abi.EmbedSpec{ by_text, by_token, probed };
    var expected: [specs.len]fixtures.Done = undefined;
    for (specs, &expected) |spec, *want| {
        want.* = try fixture.run(spec);
        try testing.expectEqual(.ok, want.taken.status);
    }
    for (1..4) |threads| for (std.enums.values(abi.Parallelism)) |parallelism| {
        fixture.plan.spec.threads = @intCast(threads);
        fixture.plan.spec.parallelism = @intFromEnum(parallelism);
        for (specs, expected) |spec, want| {
            const found = try fixture.run(spec);
            try testing.expectEqual(want.taken.floats, found.taken.floats);
            try testing.expectEqualSlices(
                u8,
                std.mem.asBytes(&want.floats),
                std.mem.asBytes(&found.floats),
            );
        }
    };

    // The three are different things, and none is nothing.
    try testing.expectEqual(lengths.len * tiny.embedding_size, expected[0].taken.floats);
    try testing.expectEqual(ids.len * tiny.hidden_size, expected[1].taken.floats);
    try testing.expectEqual(ids.len * tiny.hidden_size, expected[2].taken.floats);
    try testing.expect(expected[1].floats[0] != expected[2].floats[0]);
    for (0..lengths.len) |i| {
        var square: f32 = 0;
        for (expected[0].row(i, tiny.embedding_size)) |x| square += x * x;
        try testing.expectApproxEqAbs(1, square, 1e-6);
    }
}

test "operations that are joined give the bits of the ones they are made of" {
    const bytes = Tiny.file();
    var fixture: Fixture = undefined;
    try fixture.init(&bytes);
    defer fixture.deinit();
    const operations = &fixture.plan.operations;
    // A norm of a norm, into the buffer that is multiplied next.
    const norm = operations[8];
    operations[8].dst = 1;
    operations[7] = operations[8];
    operations[8].src = 1;
    operations[8].dst = 4;
    const apart = try fixture.run(by_text);
    try testing.expectEqual(.ok, apart.taken.status);

    operations[7].keys = norm.dst;
    operations[7].second = norm.weight;
    operations[8] = operations[7]; // it may be done twice
    const product = &operations[9];
    product.* = operations[10];
    product.code = @intFromEnum(abi.OperationCode.activated_matmul);
    product.src = 4;
    product.weight = 7;
    operations[10] = operations[11];
    for (1..4) |threads| for (std.enums.values(abi.Parallelism)) |parallelism| {
        fixture.plan.spec.threads = @intCast(threads);
        fixture.plan.spec.parallelism = @intFromEnum(parallelism);
        const joined = try fixture.run(by_text);
        try testing.expectEqual(.ok, joined.taken.status);
        const count = lengths.len * tiny.embedding_size;
        try testing.expectEqualSlices(f32, apart.floats[0..count], joined.floats[0..count]);
    };
}

test "a vector of one token is what the table, the position and the row make of it" {
    const bytes = Tiny.file();
    var fixture: Fixture = undefined;
    try fixture.init(&bytes);
    defer fixture.deinit();
    var spec = by_token;
    spec.probe = 2; // after the last of the three
    spec.normalize = 0;
    const found = try fixture.run(spec);
    const table = std.mem.bytesAsSlice(f32, bytes[0 .. tiny.vocab_size * tiny.hidden_size * 4]);
    const halves = std.mem.bytesAsSlice(f16, bytes[table.len * 4 ..][0 .. 16 * 32 * 2]);
    var token: usize = 0;
    for (lengths) |length| for (0..length) |position| {
        const id: usize = @intCast(ids[token]);
        for (found.row(token, tiny.hidden_size), 0..) |x, i| {
            const embedded = 2 * table[id * tiny.hidden_size + i];
            const placed = embedded + halves[position * tiny.hidden_size + i];
            try testing.expectEqual(placed + halves[3 * tiny.hidden_size + i], x);
        }
        token += 1;
    };
}

test "a token's type chooses what is added, and not what is embedded" {
    const bytes = Tiny.file();
    var fixture: Fixture = undefined;
    try fixture.init(&bytes);
    defer fixture.deinit();
    const added = &fixture.plan.operations[2];
    added.code = @intFromEnum(abi.OperationCode.add_type);
    added.value = 0;
    fixture.plan.spec.type_count = 3;
    const engine = try fixture.load();
    var spec = by_token;
    spec.text_count = 1;
    spec.token_count = 3;
    spec.probe = 2;
    spec.normalize = 0;
    // The same token in each of the types.
    const typed = [_]i32{ 5, 5 + tiny.vocab_size, 5 + 2 * tiny.vocab_size };
    const found = try fixtures.finish(try fixtures.submitTexts(engine, spec, &typed, &.{3}));
    try testing.expectEqual(.ok, found.taken.status);
    const table = std.mem.bytesAsSlice(f32, bytes[0 .. tiny.vocab_size * tiny.hidden_size * 4]);
    const halves = std.mem.bytesAsSlice(f16, bytes[table.len * 4 ..][0 .. 16 * 32 * 2]);
    for (0..typed.len) |t| for (found.row(t, tiny.hidden_size), 0..) |x, i| {
        const placed = 2 * table[5 * tiny.hidden_size + i] + halves[t * tiny.hidden_size + i];
        // Position and type look up the same table here, in the same rows.
        try testing.expectEqual(placed + halves[t * tiny.hidden_size + i], x);
    };
    try fixtures.unload(engine);
}

/// A table too large to keep in memory, of zeros, behind the file's other tensors.
fn enlargeTable(fixture: *Fixture) !u64 {
    const rows = 40_000;
    const part = &fixture.plan.parts[0];
    part.rows = rows;
    part.offset = Tiny.file_size;
    part.byte_length = rows * tiny.hidden_size * 4;
    fixture.plan.weights[0].rows = rows;
    const size = part.offset + part.byte_length;
    try fixture.resize(size);
    return size;
}

test "a file cut short under a loaded model is an error of that call alone" {
    const bytes = Tiny.file();
    var fixture: Fixture = undefined;
    try fixture.init(&bytes);
    defer fixture.deinit();
    const size = try enlargeTable(&fixture);
    const engine = try fixture.load();
    const before = try fixtures.embed(engine, by_text);
    try testing.expectEqual(.ok, before.taken.status);
    try fixture.resize(Tiny.file_size);
    const cut = try fixtures.embed(engine, by_text);
    try testing.expectEqual(.file_changed, cut.taken.status);
    try testing.expectEqual(0, cut.taken.part);
    try cut.expectMessage("row 3 is no longer in the file");
    try fixture.resize(size);
    const after = try fixtures.embed(engine, by_text);
    try testing.expectEqualSlices(f32, &before.floats, &after.floats);
    try fixtures.unload(engine);
}

test "a file that is missing, or shorter than its plan, cannot be loaded" {
    const bytes = Tiny.file();
    var fixture: Fixture = undefined;
    try fixture.init(bytes[0 .. bytes.len - 1]);
    defer fixture.deinit();
    const short = try fixtures.finish(try fixture.submitLoad(null));
    try testing.expectEqual(.file_changed, short.taken.status);
    try short.expectMessage("weight 10 lies outside its file");
    try fixture.folder.dir.deleteFile(testing.io, "weights");
    const missing = try fixtures.finish(try fixture.submitLoad(null));
    try testing.expectEqual(.file_not_found, missing.taken.status);
}

test "a weight that is not finite is found at load, and the first of several is named" {
    const template: Tiny = .init("");
    for (template.weights, 0..) |weight, w| {
        if (weight.kind == @intFromEnum(abi.WeightKind.table)) continue;
        const parts = template.parts[weight.part_begin..][0..weight.part_count];
        for (parts, weight.part_begin..) |part, index| {
            var bytes = Tiny.file();
            // The last element, or the scale of the last block; and the same in the last tensor.
            for ([_]abi.Part{ part, template.parts[tiny.part_count - 1] }) |bad| {
                const kind: TensorType = @enumFromInt(bad.type);
                const end: usize = @intCast(bad.offset + bad.byte_length);
                const at = end - kind.blockBytes();
                const width: usize = if (kind == .f32) 4 else 2;
                @memset(bytes[at..][0..width], 0xff);
            }
            var fixture: Fixture = undefined;
            try fixture.init(&bytes);
            defer fixture.deinit();
            fixture.plan.spec.threads = 1 + @as(u32, @intCast(w % 3));
            const done = try fixtures.finish(try fixture.submitLoad(null));
            try testing.expectEqual(.not_finite, done.taken.status);
            try testing.expectEqual(index, done.taken.part);
        }
    }
}

test "a row of a table that is not finite is an error where it is used, and only there" {
    var bytes = Tiny.file();
    const row = tiny.hidden_size * 4;
    const unused = 7; // by a batch of the ids 3, 0 and 5
    bytes[unused * row + 8 ..][0..4].* = std.mem.toBytes(std.math.inf(f32));
    var fixture: Fixture = undefined;
    try fixture.init(&bytes);
    defer fixture.deinit();
    const engine = try fixture.load();
    const done = try fixtures.embed(engine, by_text);
    try testing.expectEqual(.not_finite, done.taken.status);
    try testing.expectEqual(0, done.taken.part);
    try done.expectMessage("row 7 has a value that is not finite");
    const ticket = try fixtures.submitTexts(engine, by_text, &.{ 3, 0, 5 }, &.{3});
    const good = try fixtures.finish(ticket);
    try testing.expectEqual(.ok, good.taken.status);
    try fixtures.unload(engine);
}

test "a result that is not finite is an error" {
    const bytes = Tiny.file();
    var fixture: Fixture = undefined;
    try fixture.init(&bytes);
    defer fixture.deinit();
    fixture.plan.operations[tiny.embed_index].number = 3e38;
    const done = try fixture.run(by_text);
    try testing.expectEqual(.not_finite, done.taken.status);
    try testing.expectEqual(abi.none, done.taken.part);
    try done.expectMessage("the embedding has a value that is not finite");
}
