import type { Vocabulary } from "./vocabulary.ts";

/** Bytes by which pieces are told apart. Shorter ones are as likely as not to be there. */
export const PREFIX_BYTES = 6;
const TABLE_BITS = 16;
const LENGTHS = 32;

/**
 * Which lengths pieces have that begin with the same bytes as a text: of the many pieces that might
 * be at a character, few have to be looked up. May tell of a length too many, of none too few.
 */
export class PieceLengths {
  /** By hash of the first bytes, a bit for each length; the last for all that are longer. */
  readonly #table = new Uint32Array(2 ** TABLE_BITS);

  constructor({ pieces }: Vocabulary) {
    const { bytes, starts, ends } = pieces;
    const table = this.#table;
    for (let id = 0; id < starts.length; id++) {
      const start = starts[id]!;
      const length = ends[id]! - start;
      if (length >= PREFIX_BYTES) table[hashPrefix(bytes, start)]! |= 1 << bitOf(length);
    }
  }

  /** Of pieces that begin as `text` at `start`, where at least `PREFIX_BYTES` are left. */
  find(text: Uint8Array, start: number): number {
    return this.#table[hashPrefix(text, start)]!;
  }
}

/** Is a piece of this length in what `find` gave? From `PREFIX_BYTES` on. */
export function hasLength(lengths: number, length: number): boolean {
  return ((lengths >>> bitOf(length)) & 1) === 1;
}

/** The longest length in what `find` gave, or the longest of which it does not tell. */
export function longestLength(lengths: number): number {
  const bit = LENGTHS - 1 - Math.clz32(lengths);
  return bit === LENGTHS - 1 ? Number.POSITIVE_INFINITY : PREFIX_BYTES + bit;
}

function bitOf(length: number): number {
  return Math.min(length - PREFIX_BYTES, LENGTHS - 1);
}

function hashPrefix(bytes: Uint8Array, at: number): number {
  const four = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  const two = bytes[at + 4]! | (bytes[at + 5]! << 8);
  return Math.imul(four ^ Math.imul(two, 0x85ebca6b), 0x9e3779b1) >>> (32 - TABLE_BITS);
}
