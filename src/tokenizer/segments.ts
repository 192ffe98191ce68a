import type { Work } from "./encoder.ts";
import type { IdList } from "./scratch.ts";
import type { SegmentCache } from "./segment-cache.ts";

/** Cuts one segment into pieces, as far as there is work left. */
export interface SegmentSolver {
  begin(bytes: Uint8Array<ArrayBuffer>, length: number): void;
  /** Appends ids. False if there is more to do. */
  advance(ids: IdList): boolean;
  reset(): void;
}

/** The segments of one text, one after the other: each from the cache, or solved and kept there. */
export class Segments {
  readonly #ids: IdList;
  readonly #solver: SegmentSolver;
  readonly #cache: SegmentCache;
  readonly #work: Work;
  #isSolving = false;

  constructor(solver: SegmentSolver, cache: SegmentCache, ids: IdList, work: Work) {
    this.#solver = solver;
    this.#cache = cache;
    this.#ids = ids;
    this.#work = work;
  }

  /** False if there is more to do, or no work left to go on. */
  encode(bytes: Uint8Array<ArrayBuffer>, length: number): boolean {
    if (!this.#cache.find(bytes, length, this.#ids)) {
      const start = this.#ids.length;
      this.#solver.begin(bytes, length);
      this.#isSolving = !this.#solver.advance(this.#ids);
      // One that is paused is too long for the cache.
      if (this.#isSolving) return false;
      this.#cache.put(bytes, length, this.#ids, start);
    }
    return this.#work.left > 0;
  }

  /** Goes on with a segment that is not done. False if there is still more to do. */
  advance(): boolean {
    if (this.#isSolving && !this.#solver.advance(this.#ids)) return false;
    this.#isSolving = false;
    return true;
  }

  reset(): void {
    this.#solver.reset();
    this.#isSolving = false;
  }
}
