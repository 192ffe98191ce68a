import { describe, expect, test } from "bun:test";
import { open } from "../../src/index.ts";
import { VectorCache } from "../../src/pipeline/cache.ts";
import { bitsOf } from "../engine/run-native.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { failure } from "../failure.ts";

const model = tinyModel();

function entry(n: number) {
  return { vector: new Float32Array(64).fill(n), tokens: n, truncated: 0 };
}

describe("the cache", () => {
  test("stays within its bytes and forgets what was not used for longest", () => {
    const cache = new VectorCache(2000);
    for (let i = 0; i < 3; i++) cache.put(`key ${i}`, entry(i));
    expect(cache.find("key 0")?.tokens).toBe(0);
    cache.put("key 3", entry(3));
    // Each takes some 512 bytes and its key: the fourth drives out the second.
    expect(cache.find("key 1")).toBeUndefined();
    expect(cache.find("key 0")?.vector).toEqual(entry(0).vector);
    const { entries, bytes, bytesMax, hits, misses, evictions } = cache.stats;
    expect([entries, bytesMax, hits, misses, evictions]).toEqual([3, 2000, 2, 1, 1]);
    expect(bytes).toBeGreaterThan(3 * 512);
    expect(bytes).toBeLessThanOrEqual(2000);
  });

  test("counts a key that is put again once, and leaves out what is too large", () => {
    const cache = new VectorCache(2000);
    for (let i = 0; i < 10; i++) cache.put("key", entry(i));
    expect(cache.stats.entries).toBe(1);
    expect(cache.find("key")?.tokens).toBe(9);
    const { bytes } = cache.stats;
    cache.put("large", { vector: new Float32Array(1000), tokens: 1, truncated: 0 });
    expect(cache.stats).toMatchObject({ entries: 1, bytes, evictions: 0 });
  });

  test("keeps a copy: a view's buffer can go, and its change changes nothing", () => {
    const cache = new VectorCache(10_000);
    const buffer = new Float32Array(1000).fill(1);
    cache.put("key", { vector: buffer.subarray(10, 20), tokens: 1, truncated: 0 });
    buffer.fill(2);
    const { vector } = cache.find("key")!;
    expect(vector).toEqual(new Float32Array(10).fill(1));
    expect(vector.buffer.byteLength).toBe(40);
  });
});

describe("a model with a cache", () => {
  test("tells of the layers of a text whose vector it knows", async () => {
    await using embedder = await open(model.path, { cacheBytes: 1_000_000 });
    const before = await embedder.fingerprintLayers("one");
    await embedder.embed("one", { normalize: false });
    expect(await embedder.fingerprintLayers("one")).toEqual(before);
  });

  test("gives the same results, and runs a text once", async () => {
    await using embedder = await open(model.path, { cacheBytes: 1_000_000 });
    await using plain = await open(model.path);
    const texts = ["one", "two", "one two three", "two"];
    const expected = await plain.embed(texts);
    for (let round = 0; round < 3; round++) {
      expect(await embedder.embed(texts)).toEqual(expected);
      expect(embedder.embedSync(texts)).toEqual(expected);
      expect(await Array.fromAsync(embedder.stream(texts), ({ index: _, ...r }) => r)).toEqual(
        expected,
      );
    }
    const { cache, done } = embedder.stats();
    // Twice "two" in the first call, which both missed.
    expect(cache).toMatchObject({ entries: 3, misses: 4, hits: 32, evictions: 0 });
    expect(done.texts).toBe(4);
    expect(plain.stats().cache).toBeUndefined();
  });

  test("knows everything that changes a vector", async () => {
    await using embedder = await open(model.path, { cacheBytes: 1_000_000 });
    await using plain = await open(model.path);
    const long = "word ".repeat(300);
    const ids = plain.tokenize("one");
    const cases = [
      ["one", {}],
      [ids, {}],
      [Int32Array.from(ids.slice(1)), {}],
      ["one", { dimensions: 8 }],
      ["one", { normalize: false }],
      ["one", { task: "query" }],
      ["one", { prompt: "task: " }],
      ["one", { task: "document" }],
      ["one", { task: "document", title: "T" }],
      [long, { truncate: "end" }],
      [long, { truncate: "start" }],
    ] as const;
    for (let round = 0; round < 2; round++) {
      for (const [input, options] of cases) {
        const [found] = [await embedder.embed(input, options)];
        expect(found).toEqual(await plain.embed(input, options));
      }
    }
    expect(embedder.stats().cache).toMatchObject({ entries: cases.length, hits: cases.length });
  });

  test("is not harmed by what is done to a result", async () => {
    await using embedder = await open(model.path, { cacheBytes: 1_000_000 });
    const expected = bitsOf([embedder.embedSync("one").embedding]);
    for (let round = 0; round < 3; round++) {
      const { embedding } = await embedder.embed("one");
      expect(bitsOf([embedding])).toEqual(expected);
      embedding.fill(0);
    }
  });

  test("serves vectors of all encodings from one entry", async () => {
    await using embedder = await open(model.path, { cacheBytes: 1_000_000 });
    await using plain = await open(model.path);
    for (const encoding of ["float32", "int8", "binary"] as const) {
      expect(await embedder.embed("one", { encoding })).toEqual(
        await plain.embed("one", { encoding }),
      );
    }
    expect(embedder.stats().cache).toMatchObject({ entries: 1, hits: 2, misses: 1 });
  });

  test("needs a whole number of bytes", async () => {
    for (const cacheBytes of [-1, 0.5, Number.NaN]) {
      const error = await failure(() => open(model.path, { cacheBytes }));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("cacheBytes");
    }
  });
});
