import type { StringArray } from "../gguf/types.ts";
import {
  badVocabulary,
  checkPieceLength,
  PIECE_LIMIT,
  PIECES_MAX,
  type Vocabulary,
} from "./vocabulary.ts";

/** An entry holds id + 1 in its low bits (0: the end of a chain), and bits of the hash above. */
const ID_MASK = 2 * PIECES_MAX - 1;
/**
 * Pieces that a look-up may pass. Real vocabularies have below 100 in a bucket; only a file made to
 * collide has more, and would otherwise turn every look-up into a search through the vocabulary.
 */
const CHAIN_MAX = 1024;

/**
 * Hash of `bytes[start, end)`, which is not empty: of its length and seven bytes only, so that a
 * vocabulary is indexed without reading all of it (10 ms against 17 for Gemma's 262,144 pieces, on
 * first use) and a look-up costs the same for every length. Word endings and the middle tell most
 * pieces apart, and every third byte from the end tells characters of three bytes apart: a bucket
 * that is not empty holds 1.6 pieces on average in the vocabularies of Gemma, BERT and Qwen.
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  const last2 = (bytes[Math.max(start, end - 2)]! << 8) | bytes[end - 1]!;
  const last4 = (bytes[Math.max(start, end - 4)]! << 24) | (bytes[Math.max(start, end - 3)]! << 16);
  const sparse =
    (bytes[Math.max(start, end - 10)]! << 24) | (bytes[Math.max(start, end - 7)]! << 16);
  const middle = (bytes[(start + end) >>> 1]! << 8) | (end - start);
  const hash = Math.imul(last4 | last2, 0x85ebca6b) ^ sparse ^ middle;
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1);
  return mixed ^ (mixed >>> 14);
}

/**
 * Piece bytes → id: a hash table with chains, over the vocabulary's own bytes. Of equal pieces the
 * last one counts, as in the maps of Hugging Face and llama.cpp.
 */
export class PieceTable {
  /** Bytes of the longest piece. */
  readonly longest: number;
  readonly #path: string;
  readonly #key: string;
  readonly #pieces: StringArray;
  /** First entry of each bucket. */
  readonly #first: Int32Array;
  /** The entry after that of a piece in the same bucket. */
  readonly #next: Int32Array;

  /**
   * Takes the pieces of the given types; empty ones match nothing and are left out. Throws
   * `BAD_MODEL` if one is too long.
   *
   * @param limit - of their length, with the key that they are under
   */
  constructor(
    { path, pieces, types }: Omit<Vocabulary, "others">,
    included: readonly number[],
    limit: { readonly key: string; readonly max: number } = PIECE_LIMIT,
  ) {
    this.#path = path;
    this.#key = limit.key;
    this.#pieces = pieces;
    this.#first = new Int32Array(2 ** Math.ceil(Math.log2(pieces.length)));
    this.#next = new Int32Array(pieces.length);
    this.longest = this.#index(
      types,
      included.reduce((bits, type) => bits | (1 << type), 0),
    );
    checkPieceLength(path, this.longest, limit);
  }

  /**
   * The id of the piece `text[start, end)`, or -1, in constant time. Throws `BAD_MODEL` if too many
   * pieces collide.
   */
  find(text: Uint8Array, start: number, end: number): number {
    if (end - start > this.longest) return -1;
    const hash = hashBytes(text, start, end);
    let entry = this.#first[hash & (this.#first.length - 1)]!;
    for (let passed = 0; entry !== 0; passed++) {
      const id = (entry & ID_MASK) - 1;
      if (((entry ^ hash) & ~ID_MASK) === 0 && this.#equals(id, text, start, end)) return id;
      if (passed === CHAIN_MAX) this.#refuse();
      entry = this.#next[id]!;
    }
    return -1;
  }

  #refuse(): never {
    const what = `more than ${CHAIN_MAX} pieces collide, as only in a file made for that`;
    throw badVocabulary(this.#path, this.#key, what);
  }

  /** Returns the length of the longest piece. */
  #index(types: Uint8Array, typeBits: number): number {
    const { bytes, starts, ends } = this.#pieces;
    const first = this.#first;
    const next = this.#next;
    let longest = 0;
    for (let id = 0; id < next.length; id++) {
      const start = starts[id]!;
      const end = ends[id]!;
      if (((typeBits >>> types[id]!) & 1) === 0 || start === end) continue;
      if (end - start > longest) longest = end - start;
      const hash = hashBytes(bytes, start, end);
      const bucket = hash & (first.length - 1);
      next[id] = first[bucket]!;
      first[bucket] = (hash & ~ID_MASK) | (id + 1);
    }
    return longest;
  }

  #equals(id: number, text: Uint8Array, start: number, end: number): boolean {
    const { bytes, starts, ends } = this.#pieces;
    const offset = starts[id]! - start;
    if (ends[id]! - offset !== end) return false;
    for (let i = start; i < end; i++) {
      if (bytes[offset + i] !== text[i]) return false;
    }
    return true;
  }
}
