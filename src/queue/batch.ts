import type { Truncate } from "../types.ts";

/** Texts of a job: enough to keep all threads busy, few enough to be done again by another. */
export const BATCH_TEXTS = 128;
/** Bytes of a job's texts and fields, in UTF-16 code units: what waits in Redis is bounded. */
export const BATCH_CHARS = 1 << 18;

/** What is in Redis of a batch. Arrays run in parallel. */
export interface BatchData {
  readonly texts: readonly string[];
  readonly ids: readonly string[];
  /** JSON objects, as text: digits of numbers stay what they were. */
  readonly fields: readonly string[];
  readonly truncate: Truncate;
  /** The input's name, and where in it the first of the texts is. */
  readonly run: string;
  readonly position: number;
}

/**
 * Names a batch by all that it says: the same batch is the same job, whoever puts it in and however
 * often.
 */
export function batchId(data: BatchData): string {
  const hash = new Bun.CryptoHasher("sha256");
  hash.update(JSON.stringify(data));
  return hash.digest("hex").slice(0, 32);
}

/** A part of a batch that only a text at fault is in. */
export function partOf(data: BatchData, index: number): BatchData {
  const { texts, ids, fields, position, ...rest } = data;
  return {
    ...rest,
    texts: [texts[index]!],
    ids: [ids[index]!],
    fields: [fields[index]!],
    position: position + index,
  };
}
