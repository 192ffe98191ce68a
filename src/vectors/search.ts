import { invalidArgument } from "../errors.ts";
import { NativeSearch, type SearchQueries, type SearchRows } from "../native/search.ts";
import { turns } from "../scheduler/turns.ts";
import { sumOfSquares } from "./dot.ts";
import { isMatrix, type RowSource, rowsOf, scaleOf, type Vectors } from "./rows.ts";
import { checkAlike } from "./similarity.ts";
import {
  componentsOf,
  encodingOf,
  isVectorArray,
  newArray,
  type ScaledVector,
  type VectorArray,
  type VectorLike,
  type VectorMatrix,
  vectorOf,
} from "./types.ts";

/** A vector that was found. */
export interface Match {
  /** Position among the vectors that were searched, from 0. */
  readonly index: number;
  /** Cosine or dot product; higher is more alike. */
  readonly score: number;
}

/** What vectors are compared by. */
export type Metric = "cosine" | "dot";

/** How vectors are searched. */
export interface SearchOptions {
  /**
   * `"cosine"` (the default): of the angle, whatever the vectors' lengths; 0 for a vector of zeros.
   * `"dot"`: the dot product, of int8 and binary vectors times both scales.
   */
  readonly metric?: Metric | undefined;
  /** Rejects the call with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Several queries, which share the reading of each row. */
export type Queries = readonly VectorLike[] | VectorMatrix;

/** Milliseconds: shorter is not worth a call. */
const CALL_MS_MIN = 0.5;
/** Bytes of rows, times queries, of the first call, before it is known how fast they go. */
const FIRST_CALL_BYTES = 1 << 19;
/** How many times the rows of one call the next may take. */
const GROWTH_MAX = 4;
/** Ranks that are sorted, and told of, between two looks at the clock. */
const RANKS_AT_A_TIME = 1024;
/** So many dimensions cannot overflow the native side's integers. */
const DIMENSIONS_MAX = 65_536;
const ROWS_MAX = 2 ** 32 - 2;

/**
 * The `k` vectors that are most like a query, best first; of equal ones the first. All of them,
 * best first, where there are fewer than `k`.
 *
 * Does not block: it works in slices of about 2 ms in this thread, which all that runs at the same
 * time share. What is searched must stay as
 * it is until then.
 *
 * @param k - from 1 on.
 * @throws GgufEmbedError `INVALID_ARGUMENT` where lengths or encodings differ, something is not
 *   finite, or a scale that the metric needs is missing; `OUT_OF_RESOURCES` where there is no
 *   memory for so many matches; the signal's reason when aborted
 *
 * @example
 * ```ts
 * const texts = ["a red planet", "a heavy box"];
 * const [query, documents] = [await model.embed("Mars"), await model.embed(texts)];
 * for (const { index, score } of await topK(query, documents, 1)) {
 *   console.log(texts[index], score);
 * }
 * ```
 */
export function topK(
  query: VectorLike,
  vectors: Vectors,
  k: number,
  options?: SearchOptions,
): Promise<Match[]>;
/** The same for each of several queries, which read every row together. */
export function topK(
  queries: Queries,
  vectors: Vectors,
  k: number,
  options?: SearchOptions,
): Promise<Match[][]>;
export async function topK(
  query: VectorLike | Queries,
  vectors: Vectors,
  k: number,
  options: SearchOptions = {},
): Promise<Match[] | Match[][]> {
  if (!Number.isInteger(k) || k < 1) {
    throw invalidArgument(`k is ${k}; it must be a whole number from 1 on`);
  }
  return await search(query, vectors, k, options);
}

/** All vectors, best first: `topK` with as many as there are. */
export function rank(
  query: VectorLike,
  vectors: Vectors,
  options?: SearchOptions,
): Promise<Match[]>;
/** The same for each of several queries, which read every row together. */
export function rank(
  queries: Queries,
  vectors: Vectors,
  options?: SearchOptions,
): Promise<Match[][]>;
export async function rank(
  query: VectorLike | Queries,
  vectors: Vectors,
  options: SearchOptions = {},
): Promise<Match[] | Match[][]> {
  return await search(query, vectors, Number.POSITIVE_INFINITY, options);
}

async function search(
  query: VectorLike | Queries,
  vectors: Vectors,
  k: number,
  { metric = "cosine", signal }: SearchOptions,
): Promise<Match[] | Match[][]> {
  signal?.throwIfAborted();
  if (metric !== "cosine" && metric !== "dot") {
    throw invalidArgument(`metric is ${JSON.stringify(metric)}; it must be "cosine" or "dot"`);
  }
  const isList = Array.isArray(query) || isMatrix(query);
  const queries = gatherQueries(query, metric);
  if (queries === undefined) return [];
  const example = queries.data.subarray(0, queries.data.length / queries.count);
  const rows = rowsOf(vectors, { example, needsScales: needsScale(example, metric) });
  if (rows.count > ROWS_MAX) {
    throw invalidArgument(`there are ${rows.count} vectors; one search takes ${ROWS_MAX} at most`);
  }
  const native = await NativeSearch.start(queries, Math.max(1, Math.min(k, rows.count)));
  const steps = searchInSteps(native, rows, queries.count, queries.count * example.byteLength);
  const matches = await turns.finish(steps, signal);
  return isList ? matches : (matches[0] as Match[]);
}

function* searchInSteps(
  native: NativeSearch,
  rows: RowSource,
  queryCount: number,
  rowCost: number,
): Generator<undefined, Match[][], undefined> {
  yield* addAll(native, rows, rowCost);
  const matches: Match[][] = [];
  for (let i = 0; i < queryCount; i++) matches.push(yield* matchesOf(native, i));
  return matches;
}

function* addAll(
  native: NativeSearch,
  rows: RowSource,
  rowCost: number,
): Generator<undefined, void, undefined> {
  let most = Math.max(1, Math.floor(FIRST_CALL_BYTES / rowCost));
  for (let from = 0; from < rows.count; ) {
    const began = performance.now();
    const part = rows.read(from, most);
    if (!native.add(part)) throw notFinite(part, from);
    from += part.count;
    const rowsPerMs = part.count / Math.max(performance.now() - began, 1e-3);
    yield;
    // The first rows may have been in a cache: what they tell is not trusted for many more.
    const expected = rowsPerMs * Math.max(turns.msLeft, CALL_MS_MIN);
    most = Math.max(1, Math.floor(Math.min(expected, part.count * GROWTH_MAX)));
  }
}

/** Which of some rows is at fault, the first of them being number `first`. */
function notFinite({ data, count, scales }: SearchRows, first: number): Error {
  const width = data.length / count;
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at >= 0) {
    return invalidArgument(
      `vectors[${first + Math.floor(at / width)}] is not finite: ` +
        `component ${at % width} is ${data[at]}`,
    );
  }
  const row = scales?.findIndex((scale) => !Number.isFinite(scale)) ?? -1;
  return invalidArgument(`the scale of vectors[${first + row}] is ${scales?.[row]}, not finite`);
}

/** From the last rank up, as they become final. */
function* matchesOf(native: NativeSearch, query: number): Generator<undefined, Match[], undefined> {
  let left = native.count(query);
  const matches = new Array<Match>(left);
  while (left > 0) {
    const next = Math.max(0, left - RANKS_AT_A_TIME);
    native.sort(query, next, left);
    while (left > next) {
      left--;
      matches[left] = { index: native.index(query, left), score: native.score(query, left) };
    }
    yield;
  }
  return matches;
}

/** Queries as the native side takes them; undefined where there are none. */
function gatherQueries(query: VectorLike | Queries, metric: Metric): SearchQueries | undefined {
  const list = isMatrix(query) ? queriesOf(query) : Array.isArray(query) ? query : [query];
  if (list.length === 0) return undefined;
  const nameOf = (i: number) =>
    list.length === 1 && list[0] === query ? "the query" : `queries[${i}]`;
  const example = vectorOf(list[0], nameOf(0));
  const dimensions = componentsOf(example);
  if (dimensions > DIMENSIONS_MAX) {
    throw invalidArgument(
      `${nameOf(0)} has ${dimensions} dimensions; ${DIMENSIONS_MAX} are the most`,
    );
  }
  const data = newArray(example, list.length * example.length);
  const numbers = new Float64Array(list.length);
  for (const [i, each] of list.entries()) {
    const vector = vectorOf(each, nameOf(i));
    checkAlike(vector, example, nameOf(i), nameOf(0));
    data.set(vector, i * example.length);
    const squares = sumOfSquares(vector);
    if (!Number.isFinite(squares)) throw invalidArgument(`${nameOf(i)} is not finite`);
    if (metric === "cosine") numbers[i] = squares;
    else numbers[i] = needsScale(example, metric) ? scaleOf(each, example, nameOf(i)) : 1;
  }
  return { encoding: encodingOf(example), metric, dimensions, count: list.length, data, numbers };
}

function queriesOf({ data, dimensions, scales }: VectorMatrix): ScaledVector[] {
  const width = isVectorArray(data) ? dimensions / componentsOf(data, 1) : 0;
  if (!Number.isInteger(width) || width < 1 || data.length % width !== 0) {
    throw invalidArgument(
      `queries are no matrix: data is to be a typed array of rows of ${dimensions} dimensions`,
    );
  }
  return Array.from({ length: data.length / width }, (_, row) => ({
    embedding: data.subarray(row * width, (row + 1) * width),
    scale: scales?.[row],
  }));
}

/** Only a dot product has a unit. */
function needsScale(example: VectorArray, metric: Metric): boolean {
  return metric === "dot" && !(example instanceof Float32Array);
}
