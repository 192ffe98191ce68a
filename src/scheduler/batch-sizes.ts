import type { BatchSizeStats } from "../stats.ts";

/** Of the last bound that is a number: no batch that is known of has more texts than this. */
const TEXTS_MAX_LOG2 = 12;

/** Counts batches by how many texts they have, in powers of two. */
export class BatchSizes {
  readonly #batches = new Array<number>(TEXTS_MAX_LOG2 + 2).fill(0);

  add(texts: number): void {
    // The logarithm, rounded up: 1 → 0, 2 → 1, 3 and 4 → 2.
    const log2 = 32 - Math.clz32(texts - 1);
    this.#batches[Math.min(log2, TEXTS_MAX_LOG2 + 1)]! += 1;
  }

  get stats(): BatchSizeStats[] {
    return this.#batches.map((batches, log2) => ({
      textsMax: log2 > TEXTS_MAX_LOG2 ? Number.POSITIVE_INFINITY : 2 ** log2,
      batches,
    }));
  }
}
