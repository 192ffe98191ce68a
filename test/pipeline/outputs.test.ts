import { describe, expect, test } from "bun:test";
import { appendFileSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import {
  decodeVector,
  type Embedder,
  encodeVectors,
  open,
  type Precision,
} from "../../src/index.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { failure } from "../failure.ts";
import { makeTinyModel, WIDE_SHAPE } from "../reference/tiny.ts";

const model = tinyModel();
const blocks = tinyModel({ type: "blocks", shape: WIDE_SHAPE });
const TEXTS = ["one", "the second text", "and a third"];

describe("encodings", () => {
  test("are those of the float32 vectors, rows of one buffer with their scales", async () => {
    await using embedder = await open(model.path);
    const plain = await embedder.embed(TEXTS);
    for (const encoding of ["int8", "binary"] as const) {
      const width = encoding === "int8" ? 64 : 8;
      const results = await embedder.embed(TEXTS, { encoding });
      for (const [i, { embedding, scale, tokens }] of results.entries()) {
        const { data, scales } = encodeVectors(plain[i]!.embedding, 64, encoding as "int8");
        expect<Int8Array | Uint8Array>(embedding).toEqual(data);
        expect(scale).toBe(scales[0]!);
        expect(tokens).toBe(plain[i]!.tokens);
        expect(embedding.byteOffset).toBe(i * width);
        expect(embedding.buffer).toBe(results[0]!.embedding.buffer);
      }
      expect(embedder.embedSync(TEXTS, { encoding })).toEqual(results);
      const streamed = await Array.fromAsync(embedder.stream(TEXTS, { encoding }));
      expect(streamed.map(({ embedding }) => embedding)).toEqual(
        results.map(({ embedding }) => embedding),
      );
    }
    expect(plain.map(({ scale }) => scale)).toEqual([1, 1, 1]);
  });

  test("int8 is near the numbers", async () => {
    await using embedder = await open(model.path);
    const { embedding } = await embedder.embed("one");
    const { embedding: bytes, scale } = await embedder.embed("one", { encoding: "int8" });
    const decoded = decodeVector(bytes, scale);
    for (const [i, x] of embedding.entries()) {
      expect(Math.abs(decoded[i]! - x)).toBeLessThanOrEqual(scale * 0.5001);
    }
  });

  test("that do not exist or do not fit are refused", async () => {
    await using embedder = await open(model.path);
    const bad = { encoding: "int4" as "int8" };
    expect((await failure(() => embedder.embed("a", bad))).message).toContain(
      'encoding is "int4"; it must be one of "float32", "int8", "binary"',
    );
    const odd = { encoding: "binary", dimensions: 12 } as const;
    expect((await failure(() => embedder.embed("a", odd))).message).toContain("multiple of 8");
    await using tokens = await open(model.path, { pooling: "none" });
    const error = await failure(() => tokens.embed("a", { encoding: "int8" }));
    expect(error.message).toContain("encodeVectors");
  });
});

describe("a fingerprint", () => {
  test("is the same for vectors of one kind, whichever way they are asked for", async () => {
    await using a = await open(model.path);
    const copy = join(model.folder, "copy.gguf");
    copyFileSync(model.path, copy);
    await using b = await open(copy, { threads: 1, parallelism: "matmul", cacheBytes: 1000 });
    const expected = await a.fingerprint();
    expect(expected).toMatch(/^gemma-embedding-64-[0-9a-f]{16}$/);
    expect(await b.fingerprint()).toBe(expected);
    expect(await a.fingerprint({ dimensions: 64, encoding: "float32" })).toBe(expected);
    const prompt = "title: {title} | text: ";
    expect(await a.fingerprint({ prompt })).toBe(await a.fingerprint({ task: "document" }));
  });

  test("differs by everything that changes vectors", async () => {
    const other = join(model.folder, "other.gguf");
    await makeTinyModel({ architecture: "gemma-embedding", type: "F16" }, other);
    const kinds: [path: string, open: object, options: Parameters<Embedder["fingerprint"]>[0]][] = [
      [model.path, {}, {}],
      [other, {}, {}],
      [model.path, { precision: "high" }, {}],
      [model.path, { pooling: "cls" }, {}],
      [model.path, {}, { dimensions: 32 }],
      [model.path, {}, { normalize: false }],
      [model.path, {}, { encoding: "int8" }],
      [model.path, {}, { encoding: "binary" }],
      [model.path, {}, { task: "query" }],
      [model.path, {}, { task: "document" }],
      [model.path, { prompts: { query: "ask: " } }, { task: "query" }],
    ];
    const found = new Set<string>();
    for (const [path, options, kind] of kinds) {
      await using embedder = await open(path, options);
      found.add(await embedder.fingerprint(kind));
    }
    expect(found.size).toBe(kinds.length);
  });

  test("of a file that changed is refused", async () => {
    const path = join(model.folder, "changing.gguf");
    copyFileSync(model.path, path);
    await using embedder = await open(path);
    appendFileSync(path, "more");
    const error = await failure(() => embedder.fingerprint());
    expect(error.code).toBe("BAD_FILE");
    expect(error.message).toContain("open it again");
  });
});

describe("close", () => {
  test("with cancel ends what waits and what runs", async () => {
    const embedder = await open(model.path);
    const calls = [1, 2, 3].map(() => embedder.embed(new Array(500).fill("word ".repeat(20))));
    const stream = Array.fromAsync(embedder.stream(new Array(5000).fill("word ".repeat(20))));
    const outcomes = Promise.allSettled([...calls, stream]);
    await Bun.sleep(2);
    await Promise.all([embedder.close({ cancel: true }), embedder.close()]);
    for (const outcome of await outcomes) {
      expect(outcome.status === "rejected" && outcome.reason.code).toBe("CLOSED");
    }
  });

  test("after a call that failed", async () => {
    const embedder = await open(model.path);
    await failure(() => embedder.embed("word ".repeat(300)));
    await embedder.close();
    await embedder.close({ cancel: true });
    expect((await failure(() => embedder.stats())).code).toBe("CLOSED");
    expect((await failure(() => embedder.fingerprint())).code).toBe("CLOSED");
  });
});

test("the arithmetic has the version that fingerprints say", async () => {
  const { ARITHMETIC_VERSION } = await import("../../src/fingerprint.ts");
  const digestOf = async (path: string, precision: Precision) => {
    await using embedder = await open(path, { precision });
    const { embedding } = await embedder.embed("the quick brown fox");
    return new Bun.CryptoHasher("sha256").update(embedding).digest("hex").slice(0, 16);
  };
  // Where a digest changes, raise the version: old vectors are of another kind.
  expect(ARITHMETIC_VERSION).toBe(3);
  expect(await digestOf(model.path, "default")).toBe("2d136c3a60d1aa99");
  expect(await digestOf(model.path, "high")).toBe("bf6fcf44024c6323");
  expect(await digestOf(blocks.path, "default")).toBe("11491b100097c59d");
  expect(await digestOf(blocks.path, "high")).toBe("28ae53c38e731705");
});
