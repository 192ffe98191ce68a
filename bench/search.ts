import { encodeVectors, type Match, topK } from "../src/index.ts";
import { quantile } from "./compare/statistics.ts";
import { type Case, digest, type Setting } from "./harness.ts";
import { randomNumbers } from "./random.ts";
import { plainSearch } from "./search/plain.ts";
import { Yardstick } from "./yardstick.ts";

const SHAPES = {
  full: [
    { rows: 100_000, dimensions: 768, rounds: 12, repeats: 1 },
    { rows: 1_000, dimensions: 384, rounds: 40, repeats: 20 },
  ],
  tiny: [{ rows: 200, dimensions: 64, rounds: 3, repeats: 1 }],
};
type Shape = (typeof SHAPES)["full"][number];

const K = 10;
const QUERIES = 8;
/** Larger than the last cache; read for so long at a time. */
const MEMORY = {
  full: { megabytes: 300, milliseconds: 40 },
  tiny: { megabytes: 4, milliseconds: 1 },
};

/** One way to find the same. */
interface Contender {
  readonly name: string;
  readonly search: () => Match[] | Promise<Match[]>;
}

/** What several contenders are asked, and the bytes that the answer lies in. */
interface Question {
  readonly name: string;
  readonly bytes: number;
  /** The first is the one that the others are compared with. */
  readonly contenders: readonly Contender[];
}

/**
 * The best ten by `topK` and by a plain loop, in turn, beside what one thread can read from memory
 * meanwhile. Times of a question's later contenders come with the ratio to the first in the same
 * round: the middle, and the smallest and largest.
 */
export async function* search(setting: Setting): AsyncGenerator<Case> {
  await using yardstick = await Yardstick.start();
  for (const shape of SHAPES[setting.size]) {
    const { megabytes, milliseconds } = MEMORY[setting.size];
    const perByte: number[] = [];
    const questions = makeQuestions(shape, setting.seed);
    const times = questions.map(({ contenders }) => contenders.map((): number[] => []));
    const results = questions.map(({ contenders }) => contenders.map(() => ""));
    for (let round = 0; round < shape.rounds; round++) {
      const { gigabytes } = await yardstick.memory(megabytes, { threads: 1, milliseconds });
      perByte.push(1 / gigabytes);
      for (const [q, { contenders }] of questions.entries()) {
        for (const [c, contender] of contenders.entries()) {
          const { nanoseconds, matches } = await time(contender, shape.repeats);
          times[q]![c]!.push(nanoseconds);
          results[q]![c] = digest([Int32Array.from(matches, ({ index }) => index)]);
        }
      }
    }
    yield {
      name: `memory read by one thread, 10⁹ bytes, beside ${label(shape)}`,
      amount: { count: 1e9, unit: "bytes" },
      nanoseconds: perByte.map((each) => each * 1e9),
    };
    for (const [q, { name, bytes, contenders }] of questions.entries()) {
      for (const [c, contender] of contenders.entries()) {
        const own = times[q]![c]!;
        const ratio = c === 0 ? "" : ` ${formatRatio(times[q]![0]!, own)}`;
        yield {
          name: `${label(shape)} ${name}, best ${K}, ${contender.name}${ratio}`,
          amount: { count: bytes, unit: "bytes" },
          result: results[q]![c]!,
          nanoseconds: own,
        };
      }
    }
  }
}

const label = ({ rows, dimensions }: Shape) => `${rows} × ${dimensions}`;

async function time({ search }: Contender, repeats: number) {
  let matches: Match[] = [];
  const start = performance.now();
  for (let i = 0; i < repeats; i++) matches = await search();
  return { nanoseconds: ((performance.now() - start) * 1e6) / repeats, matches };
}

function formatRatio(base: readonly number[], own: readonly number[]): string {
  const ratios = base.map((time, round) => time / own[round]!);
  const [low, middle, high] = [0, 0.5, 1].map((at) => quantile(ratios, at).toFixed(1));
  return `×${middle} (${low}–${high})`;
}

function makeQuestions({ rows, dimensions }: Shape, seed: number): Question[] {
  const matrix = unitVectors(rows + QUERIES, dimensions, seed);
  const [from, to] = [rows * dimensions, (rows + QUERIES) * dimensions];
  const documents = matrix.subarray(0, from);
  const queries = { data: matrix.subarray(from, to), dimensions };
  const query = queries.data.subarray(0, dimensions);
  const int8 = encodeVectors(documents, dimensions, "int8");
  const binary = encodeVectors(documents, dimensions, "binary");
  const bytes = encodeVectors(query, dimensions, "int8");
  const int8Query = { embedding: bytes.data, scale: bytes.scales[0]! };
  const bits = encodeVectors(query, dimensions, "binary").data;
  // As they come from batches: not one behind the other.
  const order = Array.from({ length: rows }, (_, i) => i ^ 1).map((i) => Math.min(i, rows - 1));
  const list = order.map((i) => documents.subarray(i * dimensions, (i + 1) * dimensions));
  const places = (matches: Match[]) =>
    matches.map(({ index, score }) => ({ index: order[index]!, score }));
  return [
    {
      name: "float32",
      bytes: documents.byteLength,
      contenders: [
        { name: "plain loop", search: () => plainSearch(query, documents, K) },
        { name: "topK", search: () => topK(query, documents, K) },
        { name: "topK of a list", search: async () => places(await topK(query, list, K)) },
        {
          name: `topK of ${QUERIES} queries`,
          search: async () => (await topK(queries, documents, K))[0]!,
        },
      ],
    },
    {
      name: "int8",
      bytes: int8.data.byteLength,
      contenders: [
        { name: "plain loop", search: () => plainSearch(bytes.data, int8.data, K, int8.scales) },
        { name: "topK", search: () => topK(int8Query, int8, K, { metric: "dot" }) },
      ],
    },
    {
      name: "binary",
      bytes: binary.data.byteLength,
      contenders: [
        { name: "plain loop", search: () => plainSearch(bits, binary.data, K) },
        { name: "topK", search: () => topK(bits, binary, K) },
      ],
    },
  ];
}

function unitVectors(rows: number, dimensions: number, seed: number): Float32Array {
  const random = randomNumbers(seed);
  const matrix = new Float32Array(rows * dimensions);
  for (let row = 0; row < rows; row++) {
    const vector = matrix.subarray(row * dimensions, (row + 1) * dimensions);
    let squares = 0;
    for (let i = 0; i < dimensions; i++) {
      const x = random() / 2 ** 31 - 1;
      vector[i] = x;
      squares += x * x;
    }
    for (let i = 0; i < dimensions; i++) vector[i]! /= Math.sqrt(squares);
  }
  return matrix;
}
