/** The search that one writes without help: a loop over all numbers, and a short sorted list. */
import type { Match, VectorArray } from "../../src/index.ts";

/** By dot product, of int8 rows times their scales; binary by the bits in which they agree. */
export function plainSearch<Rows extends VectorArray>(
  query: Rows,
  rows: Rows,
  k: number,
  scales?: Float32Array,
): Match[] {
  const best: Match[] = [];
  for (let index = 0; index * query.length < rows.length; index++) {
    const score = scoreOf(query, rows, index * query.length) * (scales?.[index] ?? 1);
    if (best.length === k && score <= best[k - 1]!.score) continue;
    let at = best.length;
    while (at > 0 && best[at - 1]!.score < score) at--;
    best.splice(at, 0, { index, score });
    if (best.length > k) best.pop();
  }
  return best;
}

/** A function each, so that the compiler sees one kind of array in it. */
function scoreOf(query: VectorArray, rows: VectorArray, at: number): number {
  if (query instanceof Float32Array) return dotOfFloats(query, rows as Float32Array, at);
  if (query instanceof Int8Array) return dotOfBytes(query, rows as Int8Array, at);
  return agreement(query, rows as Uint8Array, at);
}

function dotOfFloats(query: Float32Array, rows: Float32Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += query[i]! * rows[at + i]!;
  return sum;
}

function dotOfBytes(query: Int8Array, rows: Int8Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum = (sum + query[i]! * rows[at + i]!) | 0;
  return sum;
}

function agreement(query: Uint8Array, rows: Uint8Array, at: number): number {
  let differences = 0;
  for (let i = 0; i < query.length; i++) differences += BITS[query[i]! ^ rows[at + i]!]!;
  return -differences;
}

/** Bits that are set in each byte. */
const BITS = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll("0", "").length,
);
