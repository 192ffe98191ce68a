import { ok as assert } from "node:assert/strict";
import type { UnknownCharacters } from "./byte-tokens.ts";
import { LOOKUP_WORK, type Work } from "./encoder.ts";
import { PairQueue } from "./pair-queue.ts";
import type { PieceTable } from "./piece-table.ts";
import { type IdList, trimmed } from "./scratch.ts";
import { PIECE_BYTES_MAX, PIECES_MAX } from "./vocabulary.ts";

/**
 * What is done of a segment at least before a pause: a short one is never paused, so that its ids
 * come at once and can be kept in a cache.
 */
const UNPAUSED_WORK = 4096;
/** More than any piece has characters. */
const CHARS_RADIX = 2 * PIECE_BYTES_MAX;

/** In what order pairs are merged: the highest score first, then the highest tie-breaker. */
export interface MergeOrder {
  /**
   * Of `text[start, middle)` and `text[middle, end)`, which together are a piece; `-Infinity` if
   * they are not merged.
   */
  score(piece: number, text: Uint8Array, start: number, middle: number, end: number): number;
  /** Of parts of so many characters. */
  tie(piece: number, leftChars: number, rightChars: number): number;
}

/**
 * The order of the merge list that Hugging Face derives from a SentencePiece model
 * (`generate_merges` in `transformers`): by score, then the longer left part first, then the longer
 * right part, then the lower id, lengths in characters.
 */
export class ScoredMerges implements MergeOrder {
  readonly #scores: Float32Array;

  constructor(scores: Float32Array) {
    this.#scores = scores;
  }

  score(piece: number): number {
    return this.#scores[piece]!;
  }

  tie(piece: number, leftChars: number, rightChars: number): number {
    return (leftChars * CHARS_RADIX + rightChars) * PIECES_MAX - piece;
  }
}

/**
 * Byte-pair encoding. The symbols of a segment are its characters; of all neighbours whose joined
 * bytes are a piece, the first pair by the order of merges is merged, the leftmost of equals, until
 * none is left. O(n log n) in the number of symbols.
 */
export class PairMerger {
  readonly queue = new PairQueue();
  readonly #work: Work;
  readonly #table: PieceTable;
  readonly #order: MergeOrder;
  readonly #unknownCharacters: UnknownCharacters;
  /** First byte of a symbol. Symbol `count` is a sentinel that begins at the end. */
  #start = new Int32Array(0);
  #previous = new Int32Array(0);
  #next = new Int32Array(0);
  /** Length of a symbol in characters. */
  #chars = new Int32Array(0);
  /** The piece that a symbol is, or -1 for a single character not looked up yet. */
  #piece = new Int32Array(0);
  /** The piece that a symbol and its successor would make, while that pair is in the queue. */
  #merged = new Int32Array(0);

  /** The segment, its length in bytes, and how much of it has become symbols. */
  #segment = new Uint8Array(0);
  #length = 0;
  #read = 0;
  /** Symbols; those whose pairs were offered; those whose ids were given. */
  #count = 0;
  #offered = 0;
  #emitted = 0;
  #isAfterUnknown = false;

  constructor(
    table: PieceTable,
    order: MergeOrder,
    unknownCharacters: UnknownCharacters,
    work: Work,
  ) {
    this.#work = work;
    this.#table = table;
    this.#order = order;
    this.#unknownCharacters = unknownCharacters;
  }

  /** Begins with `segment[0, length)`, well-formed UTF-8, which stays as it is until its end. */
  begin(segment: Uint8Array<ArrayBuffer>, length: number): void {
    if (length > this.#start.length - 1) this.#reserve(length);
    this.#segment = segment;
    this.#length = length;
    this.#read = 0;
    this.#count = 0;
    this.#offered = 0;
    this.#emitted = 0;
    this.#isAfterUnknown = false;
  }

  /** Goes on until all ids of the segment are appended to `ids` (true), or no work is left. */
  advance(ids: IdList): boolean {
    const work = Math.max(this.#work.left, UNPAUSED_WORK);
    let left = work;
    // Each stage leaves work only if it is done.
    if (left > 0) left = this.#split(left);
    if (left > 0) left = this.#offerAll(left);
    if (left > 0) left = this.#mergeAll(left);
    if (left > 0) left = this.#emit(ids, left);
    this.#work.left -= work - left;
    return left > 0;
  }

  /** Makes ready for another text, even after an error, and gives back what a huge one needed. */
  reset(): void {
    this.queue.clear();
    if (trimmed(this.#start) !== this.#start) this.#reserve(0);
  }

  /** Twice as much as before, so that growing texts do not ask for each length anew. */
  #reserve(length: number): void {
    const room = Math.max(length + 1, 2 * trimmed(this.#start).length);
    this.#start = new Int32Array(room);
    this.#previous = new Int32Array(room);
    this.#next = new Int32Array(room);
    this.#chars = new Int32Array(room);
    this.#piece = new Int32Array(room);
    this.#merged = new Int32Array(room);
    this.queue.reserve(room);
  }

  /** Makes a linked list of one symbol a character. */
  #split(work: number): number {
    const segment = this.#segment;
    const end = Math.min(this.#length, this.#read + work);
    let count = this.#count;
    for (let i = this.#read; i < end; i++) {
      // All but the first byte of a UTF-8 sequence are 10xxxxxx.
      if ((segment[i]! & 0xc0) === 0x80) continue;
      this.#start[count] = i;
      this.#previous[count] = count - 1;
      this.#chars[count] = 1;
      this.#piece[count] = -1;
      this.#next[count] = ++count;
    }
    const left = work - (end - this.#read);
    this.#read = end;
    this.#count = count;
    this.#start[count] = end;
    return left;
  }

  #offerAll(work: number): number {
    let left = work;
    let i = this.#offered;
    for (; i < this.#count - 1 && left > 0; i++) {
      left -= this.#offer(i);
    }
    this.#offered = i;
    return left;
  }

  #mergeAll(work: number): number {
    const { queue } = this;
    let left = work;
    while (left > 0) {
      const before = queue.comparisons;
      const i = queue.take();
      if (i < 0) break;
      left -= this.#merge(i) + (queue.comparisons - before);
    }
    return left;
  }

  /** Queues the pair of symbol `i` and its successor, if they are merged. Returns the work. */
  #offer(i: number): number {
    const right = this.#next[i]!;
    if (right === this.#count) return LOOKUP_WORK;
    const end = this.#start[this.#next[right]!]!;
    const start = this.#start[i]!;
    const piece = this.#table.find(this.#segment, start, end);
    if (piece < 0) return LOOKUP_WORK;
    const score = this.#order.score(piece, this.#segment, start, this.#start[right]!, end);
    if (score === -Infinity) return 2 * LOOKUP_WORK;
    this.#merged[i] = piece;
    this.queue.add(i, score, this.#order.tie(piece, this.#chars[i]!, this.#chars[right]!));
    return 2 * LOOKUP_WORK;
  }

  /** Merges symbol `i` and its successor. Returns the work. */
  #merge(i: number): number {
    const right = this.#next[i]!;
    const next = this.#next[right]!;
    this.queue.remove(right);
    this.#piece[i] = this.#merged[i]!;
    this.#chars[i]! += this.#chars[right]!;
    this.#next[i] = next;
    this.#previous[next] = i;
    const work = this.#offer(i);
    const previous = this.#previous[i]!;
    if (previous < 0) return work;
    this.queue.remove(previous);
    return work + this.#offer(previous);
  }

  #emit(ids: IdList, work: number): number {
    const { byteIds, unknown } = this.#unknownCharacters;
    const segment = this.#segment;
    let left = work;
    let isAfterUnknown = this.#isAfterUnknown;
    let i = this.#emitted;
    for (let next: number; i < this.#count && left > 0; i = next) {
      next = this.#next[i]!;
      assert(next > i);
      const start = this.#start[i]!;
      const end = this.#start[next]!;
      let piece = this.#piece[i]!;
      if (piece < 0) piece = this.#table.find(segment, start, end);
      if (piece >= 0) ids.push(piece);
      else if (byteIds !== undefined) {
        for (let at = start; at < end; at++) ids.push(byteIds[segment[at]!]!);
      } else if (!isAfterUnknown) ids.push(unknown);
      isAfterUnknown = piece < 0;
      left -= LOOKUP_WORK;
    }
    this.#emitted = i;
    this.#isAfterUnknown = isAfterUnknown;
    return left;
  }
}
