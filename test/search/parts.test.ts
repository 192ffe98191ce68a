import type { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomNumbers } from "../../bench/random.ts";
import { snippetOf } from "../../src/cli/snippet.ts";
import { topK } from "../../src/index.ts";
import { codeOf } from "../../src/search/code.ts";
import { openDatabase } from "../../src/search/database.ts";
import { fuse } from "../../src/search/fuse.ts";
import { fromHalf, toHalf } from "../../src/search/half.ts";
import { LineCounter } from "../../src/search/lines.ts";
import { hashOf, Store } from "../../src/search/store.ts";
import { findByVector } from "../../src/search/vector-search.ts";

const random = randomNumbers(1);
/** Of a normal distribution, nearly: the sum of twelve even ones. */
const normal = () => {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random() / 2 ** 32;
  return sum;
};

function unitVector(dimensions: number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, normal);
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}

describe("a vector's code", () => {
  test.each([
    [64, 3],
    [384, 3],
    [768, 2],
    [1024, 1],
    [4096, 1],
  ])("of %d components has %d bits each, in whole words", (dimensions, bits) => {
    expect(codeOf(unitVector(dimensions)).length * 8).toBe(dimensions * bits);
  });

  test("fills its last word", () => {
    expect(codeOf(unitVector(100)).length).toBe(40);
  });

  test("differs in as many bits as there are thresholds between components", () => {
    const rms = 1 / Math.sqrt(64);
    const differ = (a: number, b: number) => {
      const [one, other] = [a, b].map((x) => codeOf(new Float32Array(64).fill(x * rms)));
      return one!.reduce((sum, byte, i) => sum + popcount(byte ^ other![i]!), 0) / 64;
    };
    expect([differ(-1, 1), differ(-0.5, 0.5), differ(0.1, 0.5), differ(0.1, 1)]).toEqual([
      3, 1, 0, 1,
    ]);
  });
});

const popcount = (byte: number) => byte.toString(2).replaceAll("0", "").length;

test("float16 comes back as the nearest of its values", () => {
  const vector = unitVector(384);
  const back = new Float32Array(2 + vector.length);
  fromHalf(toHalf(vector), back, 2);
  expect([...back.subarray(2)]).toEqual([...vector].map((x) => Math.f16round(x)));
});

test("lines are counted as editors do", () => {
  const text = "one\ntwo\r\n\r\nfour\n";
  const lines = new LineCounter(text);
  const expected = [...text].map((_, i) => text.slice(0, i).split("\n").length);
  expect([...text].map((_, i) => lines.at(i))).toEqual(expected);
});

test("what is second in both orders comes before what is first in one", () => {
  const order = (...passages: number[]) => passages.map((passage) => ({ passage, score: 0 }));
  const fused = fuse([order(1, 2, 3), order(4, 2)]);
  expect(fused.map(({ passage }) => passage)).toEqual([2, 1, 4, 3]);
  expect(fused[0]!.score).toBeCloseTo(2 / 62, 12);
});

test("a snippet has the neighbouring lines with most words, numbered as in the file", () => {
  const text = "alpha\n\nbeta\ngamma\ndelta epsilon\nzeta\n";
  expect(snippetOf(text, 11, "Zeta delta")).toBe(
    "    14  gamma\n    15  delta epsilon\n    16  zeta\n",
  );
  expect(snippetOf(text, 11, "nothing")).toBe("    11  alpha\n    13  beta\n    14  gamma\n");
  expect(snippetOf("x".repeat(200), 1, "")).toBe(`     1  ${"x".repeat(99)}…\n`);
});

describe("among many vectors", () => {
  const [COUNT, DIMENSIONS, K] = [6000, 128, 10];
  const vectors = Array.from({ length: COUNT }, () => unitVector(DIMENSIONS));
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase({ path: ":memory:", create: true, busyTimeoutMs: 0 });
    const store = new Store(database);
    const pieces = vectors.map((vector, i) => {
      const text = `text ${i}`;
      const place = { first: 0, last: text.length, line: 1, lineEnd: 1 };
      return { piece: { hash: hashOf(text), text, tokens: 1, ...place }, vector };
    });
    database.transaction(() => store.addPassages(pieces))();
  });
  afterAll(() => database.close());

  const find = async (vector: Float32Array, exact: boolean) => {
    const options = { count: K, documents: undefined, signal: undefined };
    const found = await findByVector(database, { vector, exact, ...options });
    // Rows are numbered from 1.
    return found.slice(0, K).map(({ passage }) => passage - 1);
  };

  test("all are compared where that is wanted, as topK does", async () => {
    for (let i = 0; i < 5; i++) {
      const query = unitVector(DIMENSIONS);
      const best = await topK(query, vectors, K);
      expect(await find(query, true)).toEqual(best.map(({ index }) => index));
    }
  });

  // Of random vectors, whose best are hardly nearer than others: texts do better.
  test("the nearest codes have nearly all of the best", async () => {
    let found = 0;
    for (let i = 0; i < 40; i++) {
      const query = unitVector(DIMENSIONS);
      const best = new Set(await find(query, true));
      found += (await find(query, false)).filter((index) => best.has(index)).length;
    }
    expect(found / (40 * K)).toBeGreaterThan(0.98);
  });
});
