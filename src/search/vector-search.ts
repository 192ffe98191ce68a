import type { Database } from "bun:sqlite";
import { topK } from "../vectors/search.ts";
import { codeOf } from "./code.ts";
import { type Condition, passagesOf } from "./filter.ts";
import { fromHalf } from "./half.ts";

/** A passage, and how well it answers. */
export interface Scored {
  readonly passage: number;
  readonly score: number;
}

/** Up to so many vectors are all compared: the codes would save nothing. */
const ALL_MAX = 4096;
/** So many of the nearest codes are compared by their vectors, or more for more results. */
const NEAREST = 1000;
const NEAREST_A_RESULT = 10;
/** Rows that are held at a time where all are compared. */
const ROWS_AT_A_TIME = 4096;
/** Passages that a run which was interrupted left without a chunk take places in the order. */
const SPARE = 1000;

export interface VectorQuery {
  /** Of length 1. */
  readonly vector: Float32Array;
  /** How many are wanted at least, where there are so many. */
  readonly count: number;
  readonly documents: Condition | undefined;
  readonly exact: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Passages by their cosine with a query, best first. Asks SQLite for the nearest codes by Hamming
 * distance, and compares their vectors; or compares all vectors.
 */
export async function findByVector(database: Database, query: VectorQuery): Promise<Scored[]> {
  const { exact, documents } = query;
  const isSmall = documents === undefined && lastPassage(database) <= ALL_MAX;
  return exact || isSmall
    ? await findAmongAll(database, query)
    : await findNearest(database, query);
}

/** Cosines of some passages with a query. */
export async function similarities(
  database: Database,
  vector: Float32Array,
  passages: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const list = JSON.stringify(passages);
  const rows = database
    .query("SELECT id, vector FROM vectors WHERE id IN (SELECT value FROM json_each(?))")
    .values(list) as Row[];
  const found = await best(vector, rows, rows.length, undefined);
  return new Map(found.map(({ passage, score }) => [passage, score]));
}

type Row = [id: number, vector: Uint8Array];

/** Not fewer than there are: ids are given in order. */
function lastPassage(database: Database): number {
  const { last } = database.query("SELECT max(id) AS last FROM codes").get() as {
    last: number | null;
  };
  return last ?? 0;
}

async function findNearest(database: Database, query: VectorQuery): Promise<Scored[]> {
  const { vector, count, documents, signal } = query;
  const { sql, values } = passagesOf(documents, "id");
  const rows = database
    .query(
      `SELECT id, vector FROM vectors JOIN (
         SELECT id FROM codes WHERE ${sql}
         ORDER BY vec_distance_hamming(vec_bit(code), vec_bit(?)) LIMIT ?
       ) USING (id)`,
    )
    .values(...values, codeOf(vector), Math.max(NEAREST, NEAREST_A_RESULT * count)) as Row[];
  return await best(vector, rows, rows.length, signal);
}

async function findAmongAll(database: Database, query: VectorQuery): Promise<Scored[]> {
  const { vector, count, documents, signal } = query;
  const { sql, values } = passagesOf(documents, "id");
  const next = database.query(
    `SELECT id, vector FROM vectors WHERE id > ? AND ${sql} ORDER BY id LIMIT ${ROWS_AT_A_TIME}`,
  );
  let found: Scored[] = [];
  for (let last = 0; ; ) {
    const rows = next.values(last, ...values) as Row[];
    if (rows.length === 0) return found;
    last = rows.at(-1)![0];
    found = merge(found, await best(vector, rows, count + SPARE, signal), count + SPARE);
  }
}

/** Both are in order; of equal scores the passage that came first is first. */
function merge(a: readonly Scored[], b: readonly Scored[], count: number): Scored[] {
  return [...a, ...b].sort((one, other) => other.score - one.score).slice(0, count);
}

async function best(
  vector: Float32Array,
  rows: readonly Row[],
  count: number,
  signal: AbortSignal | undefined,
): Promise<Scored[]> {
  if (rows.length === 0) return [];
  const dimensions = vector.length;
  const data = new Float32Array(rows.length * dimensions);
  for (const [row, [, bytes]] of rows.entries()) fromHalf(bytes, data, row * dimensions);
  const matches = await topK(vector, { data, dimensions }, count, { signal });
  return matches.map(({ index, score }) => ({ passage: rows[index]![0], score }));
}
