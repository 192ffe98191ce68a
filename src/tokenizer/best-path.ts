import { ok as assert } from "node:assert/strict";
import type { UnknownCharacters } from "./byte-tokens.ts";
import { LOOKUP_WORK, type Work } from "./encoder.ts";
import { hasLength, longestLength, type PieceLengths, PREFIX_BYTES } from "./piece-lengths.ts";
import type { PieceTable } from "./piece-table.ts";
import { type IdList, trimmed } from "./scratch.ts";

/**
 * What is done of a word at least before a pause: a short one is never paused, so that its ids come
 * at once and can be kept in a cache.
 */
const UNPAUSED_WORK = 4096;
/** Of a character that is no piece: as much less than the lowest score of all. */
const UNKNOWN_PENALTY = 10;
const NONE = -1;
const CHARACTER_BYTES_MAX = 4;

/** What all texts of a tokenizer share. */
export interface ScoredPieces {
  readonly table: PieceTable;
  readonly lengths: PieceLengths;
  readonly scores: Float32Array;
  /** The lowest score of an ordinary piece. */
  readonly lowest: number;
  readonly unknownCharacters: UnknownCharacters;
}

/**
 * Unigram: of all ways to cut a word into pieces, that of the highest sum of scores (Viterbi). A
 * character that is no piece by itself may be unknown, at a score of its own; unknown ones in a row
 * are one token. O(length of the word · longest piece).
 *
 * As in Hugging Face `tokenizers` to the bit (`Unigram::encode_optimized`): sums are float64, from
 * left to right; of equal sums the one whose last piece is the longest stays.
 */
export class BestPath {
  readonly #pieces: ScoredPieces;
  readonly #unknownScore: number;
  readonly #work: Work;
  /** Of the best way up to a byte: its score, its last piece, and where that begins. */
  #score = new Float64Array(0);
  #piece = new Int32Array(0);
  /** Once all is known, the best way the other way round: where the piece behind ends. */
  #start = new Int32Array(0);

  /** The word, its length in bytes; up to where nodes are ready, and where they were seen to. */
  #word: Uint8Array = new Uint8Array(0);
  #length = 0;
  #ready = 0;
  #done = 0;
  /** The end of the piece that is turned round next, and of the one behind it. */
  #end = 0;
  #after = 0;
  /** Where the piece that is emitted next begins. */
  #emitted = 0;
  #isAfterUnknown = false;

  constructor(pieces: ScoredPieces, work: Work) {
    this.#pieces = pieces;
    this.#unknownScore = pieces.lowest - UNKNOWN_PENALTY;
    this.#work = work;
  }

  /** Begins with `word[0, length)`, well-formed UTF-8, which stays as it is until its end. */
  begin(word: Uint8Array, length: number): void {
    if (length >= this.#score.length) this.#reserve(length);
    this.#word = word;
    this.#length = length;
    this.#score[0] = 0;
    this.#ready = 1;
    this.#done = 0;
    this.#end = length;
    this.#after = NONE;
    this.#emitted = 0;
    this.#isAfterUnknown = false;
  }

  /** Goes on until all ids of the word are appended to `ids` (true), or no work is left. */
  advance(ids: IdList): boolean {
    const work = Math.max(this.#work.left, UNPAUSED_WORK);
    let left = work;
    // Each stage leaves work only if it is done.
    if (left > 0) left = this.#extend(left);
    if (left > 0) left = this.#turn(left);
    if (left > 0) left = this.#emit(ids, left);
    this.#work.left -= work - left;
    return left > 0;
  }

  /** Gives back what a huge word needed. */
  reset(): void {
    if (trimmed(this.#piece) !== this.#piece) this.#reserve(0);
  }

  /** Twice as much as before, so that growing words do not ask for each length anew. */
  #reserve(length: number): void {
    const room = Math.max(length + 1, 2 * trimmed(this.#piece).length);
    this.#score = new Float64Array(room);
    this.#piece = new Int32Array(room);
    this.#start = new Int32Array(room);
  }

  /** Finds the best way up to each character, from left to right. */
  #extend(work: number): number {
    const word = this.#word;
    const length = this.#length;
    const longest = Math.max(this.#pieces.table.longest, CHARACTER_BYTES_MAX);
    let left = work;
    let i = this.#done;
    while (i < length && left > 0) {
      const end = Math.min(length, i + longest);
      for (; this.#ready <= end; this.#ready++) this.#start[this.#ready] = NONE;
      left -= this.#extendFrom(i, end);
      i += characterLength(word[i]!);
    }
    this.#done = i;
    return left;
  }

  /** Offers the pieces that begin at `start` and reach no further than `end`. Returns the work. */
  #extendFrom(start: number, end: number): number {
    const word = this.#word;
    const { table, lengths, scores, unknownCharacters } = this.#pieces;
    const firstEnd = start + characterLength(word[start]!);
    let found = 0;
    let last = end;
    if (end - start >= PREFIX_BYTES) {
      found = lengths.find(word, start);
      last = Math.min(end, start + longestLength(found));
    }
    let work = 1 + ((last - start) >> 3);
    let isKnown = false;
    for (let at = firstEnd; at <= last; at += characterLength(word[at]!)) {
      if (at - start >= PREFIX_BYTES && !hasLength(found, at - start)) continue;
      work += LOOKUP_WORK;
      const piece = table.find(word, start, at);
      if (piece < 0) continue;
      if (at === firstEnd) isKnown = true;
      this.#offer(start, at, piece, scores[piece]!);
    }
    if (!isKnown) this.#offer(start, firstEnd, unknownCharacters.unknown, this.#unknownScore);
    return work;
  }

  #offer(start: number, end: number, piece: number, score: number): void {
    const sum = this.#score[start]! + score;
    if (this.#start[end] !== NONE && sum <= this.#score[end]!) return;
    this.#score[end] = sum;
    this.#piece[end] = piece;
    this.#start[end] = start;
  }

  /** Turns the best way round: from where each piece begins to where the one behind it ends. */
  #turn(work: number): number {
    let left = work;
    while (this.#end > 0 && left > 0) {
      const start = this.#start[this.#end]!;
      assert(start >= 0 && start < this.#end);
      this.#start[this.#end] = this.#after;
      this.#after = this.#end;
      this.#end = start;
      left--;
    }
    return left;
  }

  #emit(ids: IdList, work: number): number {
    const { byteIds, unknown } = this.#pieces.unknownCharacters;
    let left = work;
    while (this.#after !== NONE && left > 0) {
      const start = this.#emitted;
      const end = this.#after;
      const piece = this.#piece[end]!;
      this.#emitted = end;
      this.#after = this.#start[end]!;
      left--;
      const isUnknown = piece === unknown;
      if (!isUnknown) ids.push(piece);
      else if (byteIds !== undefined) {
        for (let i = start; i < end; i++) ids.push(byteIds[this.#word[i]!]!);
      } else if (!this.#isAfterUnknown) ids.push(unknown);
      this.#isAfterUnknown = isUnknown;
    }
    return left;
  }
}

/** Bytes of the character that begins with `first`. */
function characterLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : CHARACTER_BYTES_MAX;
}
