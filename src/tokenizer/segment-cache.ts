import { hashBytes } from "./piece-table.ts";
import type { IdList } from "./scratch.ts";

/** Entries; a power of two. With segments of up to 32 bytes, 512 KiB. */
const CAPACITY = 8192;
/** One int32 for the length in bytes and the number of ids, the others for ids. */
const ENTRY = 8;
const IDS_MAX = ENTRY - 1;
const LENGTH_BITS = 8;

/**
 * The ids of segments seen before: most words of a text are. Of two segments that fall on one
 * entry the later one stays. What it gives is what was put in, so results do not depend on it.
 */
export class SegmentCache {
  readonly #entries = new Int32Array(CAPACITY * ENTRY);
  readonly #bytesMax: number;
  readonly #bytes: Uint8Array;
  /** The entry that the last `find` looked at, or -1 if the segment is too long to be kept. */
  #last = -1;

  /** Keeps segments of up to `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(CAPACITY * bytesMax);
  }

  /** Appends the ids of `segment[0, length)` to `ids`, if they are known. */
  find(segment: Uint8Array, length: number, ids: IdList): boolean {
    this.#last = -1;
    if (length > this.#bytesMax) return false;
    this.#last = hashBytes(segment, 0, length) & (CAPACITY - 1);
    const entry = this.#last * ENTRY;
    const header = this.#entries[entry]!;
    if (header >> LENGTH_BITS !== length) return false;
    const from = this.#last * this.#bytesMax;
    for (let i = 0; i < length; i++) {
      if (this.#bytes[from + i] !== segment[i]) return false;
    }
    const count = header & (2 ** LENGTH_BITS - 1);
    for (let i = 1; i <= count; i++) ids.push(this.#entries[entry + i]!);
    return true;
  }

  /** Keeps the ids from `start` on for the segment that the last `find` did not know. */
  put(segment: Uint8Array, length: number, ids: IdList, start: number): void {
    const count = ids.length - start;
    if (this.#last < 0 || count > IDS_MAX) return;
    const entry = this.#last * ENTRY;
    this.#entries[entry] = (length << LENGTH_BITS) | count;
    for (let i = 0; i < count; i++) this.#entries[entry + 1 + i] = ids.at(start + i);
    const from = this.#last * this.#bytesMax;
    for (let i = 0; i < length; i++) this.#bytes[from + i] = segment[i]!;
  }
}
