import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type EncodedVectors,
  type Encoding,
  encodeVectors,
  type Match,
  type Metric,
  rank,
  type ScaledVector,
  similarity,
  topK,
  type VectorArray,
  type VectorMatrix,
} from "../../src/index.ts";
import { failure } from "../failure.ts";
import { thrown } from "../gguf/rejection.ts";
import { Random } from "../reference/random.ts";

const ENCODINGS: Encoding[] = ["float32", "int8", "binary"];
const METRICS: Metric[] = ["cosine", "dot"];
const combinations = ENCODINGS.flatMap((encoding) =>
  METRICS.map((metric) => ({ encoding, metric })),
);

function makeMatrix(seed: number, rows: number, dimensions: number, encoding: Encoding) {
  const data = new Random(seed).values(rows * dimensions, 0.1, 1);
  return encoding === "float32" ? { data, dimensions } : encodeVectors(data, dimensions, encoding);
}

function rowsOf({ data, dimensions, scales }: VectorMatrix): ScaledVector[] {
  const width = data instanceof Uint8Array ? dimensions / 8 : dimensions;
  return Array.from({ length: data.length / width }, (_, row) => ({
    embedding: data.subarray(row * width, (row + 1) * width),
    ...(scales === undefined ? {} : { scale: scales[row]! }),
  }));
}

/** The numbers that a vector stands for, one by one. */
function components({ embedding, scale = 1 }: ScaledVector): number[] {
  if (!(embedding instanceof Uint8Array)) return Array.from(embedding, (x) => x * scale);
  const bits = Array.from(embedding, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from(bits, (bit) => (bit === "1" ? scale : -scale));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

function expectedScore(query: ScaledVector, row: ScaledVector, metric: Metric): number {
  const [a, b] = [components(query), components(row)];
  const length = metric === "dot" ? 1 : Math.hypot(...a) * Math.hypot(...b);
  return length === 0 ? 0 : dot(a, b) / length;
}

/** That `found` are the best rows in order, by a plain float64 search. */
function expectBest(found: Match[], query: ScaledVector, rows: ScaledVector[], metric: Metric) {
  const scores = rows.map((row) => expectedScore(query, row, metric));
  const largest = Math.max(...scores.map(Math.abs), 1e-30);
  for (const [place, { index, score }] of found.entries()) {
    expect(Math.abs(score - scores[index]!)).toBeLessThan(1e-9 * largest);
    const next = found[place + 1];
    if (next === undefined) continue;
    expect(score > next.score || (score === next.score && index < next.index)).toBe(true);
  }
  expect(new Set(found.map(({ index }) => index)).size).toBe(found.length);
  const last = found.at(-1)?.score ?? 0;
  const kept = new Set(found.map(({ index }) => index));
  for (const [index, score] of scores.entries()) {
    if (!kept.has(index)) expect(score).toBeLessThanOrEqual(last + 1e-9 * largest);
  }
}

describe.each(combinations)("$encoding, $metric:", ({ encoding, metric }) => {
  test("the best of any vectors, as a plain search finds them", async () => {
    const check = async (seed: number, rows: number, eights: number, k: number) => {
      const matrix = makeMatrix(seed, rows + 1, eights * 8, encoding);
      const [query, ...others] = rowsOf(matrix) as [ScaledVector, ...ScaledVector[]];
      const found = await topK(query, others, k, { metric });
      expect(found.length).toBe(Math.min(k, rows));
      expectBest(found, query, others, metric);
      const all = await rank(query, others, { metric });
      expect(all.length).toBe(rows);
      expect(all.slice(0, k)).toEqual(found);
    };
    const up = (max: number) => fc.integer({ min: 1, max });
    await fc.assert(fc.asyncProperty(fc.integer(), up(300), up(12), up(40), check), {
      numRuns: 60,
    });
  });

  test("however the vectors lie", async () => {
    const matrix = makeMatrix(7, 700, 104, encoding);
    const rows = rowsOf(matrix);
    const query = rows[400]!;
    const options = { metric };
    const expected = await rank(query, matrix, options);
    expect(expected[0]!.index).toBe(metric === "cosine" ? 400 : expected[0]!.index);
    expect(await rank(query, rows, options)).toEqual(expected);
    const own = rows.map((row) => ({ ...row, embedding: row.embedding.slice() }));
    expect(await rank(query, own, options)).toEqual(expected);

    // In two buffers in turn, each at its own place: what lies between is not theirs.
    const others = matrix.data.slice().fill(1);
    const apart = rows.map(({ embedding, ...rest }, row) => {
      const begin = row * embedding.length;
      if (row % 2 === 0) {
        others.set(embedding, begin);
        embedding = others.subarray(begin, begin + embedding.length);
      }
      return { ...rest, embedding };
    });
    expect(await rank(query, apart, options)).toEqual(expected);

    // In another order, with runs of neighbours among them.
    const order = [...rows.keys()].sort((a, b) => (a % 3) - (b % 3) || a - b);
    order.push(...order.splice(20, 300).sort((a, b) => a - b));
    const mixed = await rank(
      query,
      order.map((i) => rows[i]!),
      options,
    );
    const back = mixed.map(({ index, score }) => ({ index: order[index]!, score }));
    const byIndex = (a: Match, b: Match) => a.index - b.index;
    expect(back.toSorted(byIndex)).toEqual(expected.toSorted(byIndex));

    if (encoding !== "float32" && metric === "dot") return;
    expect(await rank(query.embedding, matrix.data, options)).toEqual(expected);
    expect(
      await rank(
        query.embedding,
        rows.map(({ embedding }) => embedding),
        options,
      ),
    ).toEqual(expected);
  });

  test("several queries find what each finds alone", async () => {
    const matrix = makeMatrix(8, 900, 72, encoding);
    const queries = makeMatrix(9, 11, 72, encoding);
    const alone = await Promise.all(
      rowsOf(queries).map((query) => topK(query, matrix, 20, { metric })),
    );
    expect(await topK(queries, matrix, 20, { metric })).toEqual(alone);
    expect(await topK(rowsOf(queries), matrix, 20, { metric })).toEqual(alone);
    expect(await rank(rowsOf(queries).slice(0, 2), matrix, { metric })).toEqual(
      await Promise.all(
        rowsOf(queries)
          .slice(0, 2)
          .map((query) => rank(query, matrix, { metric })),
      ),
    );
  });
});

describe("similarity", () => {
  test.each(ENCODINGS)("is what topK finds, to the last bit: %s", async (encoding) => {
    const check = async (seed: number, eights: number) => {
      const [a, b] = rowsOf(makeMatrix(seed, 2, eights * 8, encoding)) as [
        ScaledVector,
        ScaledVector,
      ];
      const [match] = await topK(a, [b], 1);
      expect(similarity(a, b)).toBe(match!.score);
      expect(similarity(b, a)).toBe(match!.score);
      expect(similarity(a, a.embedding)).toBe(1);
    };
    const eights = fc.integer({ min: 1, max: 100 });
    await fc.assert(fc.asyncProperty(fc.integer(), eights, check), { numRuns: 100 });
  });

  test("of floats of any size and number, within 1", () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    const pair = fc.integer({ min: 1, max: 40 }).chain((n) => {
      const vector = fc.array(float, { minLength: n, maxLength: n });
      return fc.tuple(vector, vector);
    });
    const check = ([a, b]: [number[], number[]]) => {
      const found = similarity(Float32Array.from(a), Float32Array.from(b));
      const expected = expectedScore(
        { embedding: Float32Array.from(a) },
        { embedding: Float32Array.from(b) },
        "cosine",
      );
      expect(Math.abs(found)).toBeLessThanOrEqual(1);
      expect(Math.abs(found - expected)).toBeLessThan(1e-12);
    };
    fc.assert(fc.property(pair, check), { numRuns: 300 });
  });

  test("knows opposite, orthogonal and empty directions", () => {
    const a = Float32Array.of(3, 0);
    expect(similarity(a, Float32Array.of(-0.5, 0))).toBe(-1);
    expect(similarity(a, Float32Array.of(0, 2))).toBe(0);
    expect(similarity(a, new Float32Array(2))).toBe(0);
    expect(similarity(Int8Array.of(-128, 0), Int8Array.of(127, 0))).toBe(-1);
    expect(similarity(Uint8Array.of(0b1100_0000), Uint8Array.of(0b1010_0000))).toBe(0.5);
  });
});

describe("equal scores", () => {
  test("come in the order of the vectors", async () => {
    const matrix = new Float32Array(500 * 3).map((_, i) => (i % 3 === 0 ? 1 : 0));
    const found = await topK(Float32Array.of(1, 0, 0), matrix, 4);
    expect(found).toEqual([0, 1, 2, 3].map((index) => ({ index, score: 1 })));
    const all = await rank(Float32Array.of(0, 1, 0), matrix);
    expect(all.map(({ index }) => index)).toEqual([...Array(500).keys()]);
  });
});

describe("a large search", () => {
  const matrix = { data: new Random(3).values(8_000_000, 0, 1), dimensions: 8 };
  const query = matrix.data.subarray(0, 8);

  test("lets others have their turn", async () => {
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns++;
      if (!isDone) setTimeout(turn, 0);
    };
    setTimeout(turn, 0);
    const found = await rank(query, matrix).finally(() => {
      isDone = true;
    });
    expect(found.length).toBe(1_000_000);
    expect(found[0]).toEqual({ index: 0, score: 1 });
    expect(turns).toBeGreaterThan(2);
  });

  test("shares its slices with others", async () => {
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    const before = process.cpuUsage();
    await Promise.all(Array.from({ length: 40 }, () => topK(query, matrix, 1)));
    isDone = true;
    const { user, system } = process.cpuUsage(before);
    // Milliseconds of work a turn: forty slices of their own were eighty.
    expect((user + system) / 1000 / turns).toBeLessThan(20);
  });

  test("of more than memory can hold says so", async () => {
    const queries = new Array(2000).fill(query);
    const error = await failure(() => rank(queries, matrix));
    expect(error.code).toBe("OUT_OF_RESOURCES");
    expect(error.message).toContain("the 1000000 best of 2000 queries");
  });

  test("stops when it is cancelled", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const searching = rank(query, matrix, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 0);
    expect(await searching.catch((error) => error)).toBe(reason);
    expect(
      await topK(query, matrix, 1, { signal: AbortSignal.abort(reason) }).catch((e) => e),
    ).toBe(reason);
  });
});

describe("what cannot be searched is refused:", () => {
  const query = Float32Array.of(1, 2);
  const rows = new Float32Array(2 * 5).fill(1);
  const bad = rows.with(7, Number.NaN);
  const int8 = encodeVectors(rows, 2, "int8");
  const badScale: EncodedVectors = {
    ...int8,
    scales: int8.scales.with(2, Number.POSITIVE_INFINITY),
  };
  const listed = (matrix: Float32Array) => rowsOf({ data: matrix, dimensions: 2 });
  const any = (value: unknown) => value as Float32Array;
  const cases: [name: string, run: () => Promise<unknown>, message: string][] = [
    ["k of 0", () => topK(query, rows, 0), "k is 0"],
    ["k of 1.5", () => topK(query, rows, 1.5), "k is 1.5"],
    ["k of NaN", () => topK(query, rows, Number.NaN), "k is NaN"],
    ["another metric", () => topK(query, rows, 1, { metric: "l2" as Metric }), 'metric is "l2"'],
    ["a query of nothing", () => topK(new Float32Array(0), rows, 1), "the query has no components"],
    ["a query of numbers", () => topK(any([1, 2]), rows, 1), "queries[0] is no vector"],
    ["no query", () => topK(any(undefined), rows, 1), "the query is no vector"],
    ["a query of NaN", () => topK(Float32Array.of(1, Number.NaN), rows, 1), "query is not finite"],
    ["queries of two lengths", () => topK([query, rows], rows, 1), "queries[1] has 10 dimensions"],
    ["a query too long", () => topK(new Float32Array(70_000), [], 1), "65536 are the most"],
    ["queries of half a row", () => topK({ data: rows, dimensions: 4 }, rows, 1), "no matrix"],
    ["no vectors", () => rank(query, any(undefined)), "vectors must be a list"],
    ["half a row", () => rank(query, rows.subarray(1)), "no whole number of rows of 2"],
    [
      "another length",
      () => rank(query, { data: rows, dimensions: 5 }),
      "vectors have 5 dimensions",
    ],
    ["another length in a list", () => rank(query, [query, rows]), "vectors[1] has 10 dimensions"],
    ["another encoding", () => rank(query, int8), "vectors are int8 and the query is float32"],
    ["another in a list", () => rank(query, [query, int8.data]), "vectors[1] is int8"],
    ["a hole in a list", () => rank(query, [query, any(undefined)]), "vectors[1] is no vector"],
    ["NaN", () => rank(query, bad), "vectors[3] is not finite: component 1 is NaN"],
    ["NaN in a list", () => rank(query, listed(bad)), "vectors[3] is not finite"],
    [
      "NaN in a list that is copied in parts",
      () => {
        const list = Array.from({ length: 1000 }, () => new Float32Array(768).fill(1));
        list[15]![7] = Number.NaN;
        return topK(list.slice(0, 8), list, 1);
      },
      "vectors[15] is not finite: component 7 is NaN",
    ],
    ["NaN by dot", () => rank(query, bad, { metric: "dot" }), "vectors[3] is not finite"],
    [
      "int8 without scales",
      () => rank({ embedding: Int8Array.of(1, 2), scale: 1 }, int8.data, { metric: "dot" }),
      "5 rows with 0 scales",
    ],
    [
      "a query without its scale",
      () => rank(Int8Array.of(1, 2), int8, { metric: "dot" }),
      "the scale of the query is undefined",
    ],
    [
      "a list without scales",
      () => rank({ embedding: Int8Array.of(1, 2), scale: 1 }, [int8.data], { metric: "dot" }),
      "vectors[0] has 10 dimensions",
    ],
    [
      "a vector without its scale",
      () => rank({ embedding: int8.data, scale: 1 }, [int8.data], { metric: "dot" }),
      "the scale of vectors[0] is undefined",
    ],
    [
      "a scale that is infinite",
      () => rank({ embedding: Int8Array.of(1, 2), scale: 1 }, badScale, { metric: "dot" }),
      "the scale of vectors[2] is Infinity",
    ],
  ];
  test.each(cases)("%s", async (_, run, message) => {
    const error = await failure(run);
    expect([error.code, error.message]).toEqual([
      "INVALID_ARGUMENT",
      expect.stringContaining(message),
    ]);
  });

  const pairs: [name: string, a: VectorArray, b: VectorArray, message: string][] = [
    ["lengths", query, rows, "10 dimensions and the first 2"],
    ["encodings", query, int8.data, "is int8 and the first float32"],
    ["NaN", query, Float32Array.of(1, Number.NaN), "not finite"],
    ["infinity", query, Float32Array.of(Number.POSITIVE_INFINITY, 0), "not finite"],
    ["nothing", new Float32Array(0), query, "the first vector has no components"],
  ];
  test.each(pairs)("similarity: %s", (_, a, b, message) => {
    const error = thrown(() => similarity(a, b));
    expect([error.code, error.message]).toEqual([
      "INVALID_ARGUMENT",
      expect.stringContaining(message),
    ]);
  });

  test("but nothing to search, or to ask, is nothing found", async () => {
    expect(await topK(query, [], 3)).toEqual([]);
    expect(await rank(query, new Float32Array(0))).toEqual([]);
    expect(await topK([query, query], [], 3)).toEqual([[], []]);
    expect(await topK([], rows, 3)).toEqual([]);
    expect(await topK({ data: new Int8Array(0), dimensions: 2 }, rows, 3)).toEqual([]);
  });
});
