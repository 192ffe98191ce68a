import { WORD_LENGTH_MAX } from "./bert-words.ts";
import { LOOKUP_WORK, type Work } from "./encoder.ts";
import type { PieceTable } from "./piece-table.ts";
import type { IdList } from "./scratch.ts";
import { MARK, MARK_BYTES } from "./vocabulary.ts";

const MARK_CODE_POINT = MARK.codePointAt(0)!;
/** ▁, and up to four bytes a code point. */
const BYTES_MAX = MARK_BYTES.length + 4 * WORD_LENGTH_MAX;

/**
 * Longest match first, as in BERT: the longest piece that begins the word, then the longest that
 * continues it, and so on; a word that cannot be covered is unknown as a whole.
 */
export class WordMatcher {
  readonly #table: PieceTable;
  readonly #unknown: number;
  readonly #work: Work;
  /** The word with a ▁ in front, in UTF-8. */
  readonly #text = new Uint8Array(BYTES_MAX);
  /** Where the code point `i` of the word begins. */
  readonly #offsets = new Int32Array(WORD_LENGTH_MAX + 1);
  readonly #pieces = new Int32Array(WORD_LENGTH_MAX);
  #length = 0;

  constructor(table: PieceTable, unknown: number, work: Work) {
    this.#work = work;
    this.#table = table;
    this.#unknown = unknown;
  }

  /** Appends the ids of the word `codePoints[0, length)`. O(length · longest piece) lookups. */
  encode(codePoints: Int32Array, length: number, ids: IdList): void {
    const count = length > WORD_LENGTH_MAX ? -1 : this.#match(codePoints, length);
    if (count < 0) ids.push(this.#unknown);
    for (let i = 0; i < count; i++) ids.push(this.#pieces[i]!);
  }

  /** Writes the pieces and returns their number, or -1. */
  #match(codePoints: Int32Array, length: number): number {
    this.#write(codePoints, length);
    let count = 0;
    // The ▁ in front is part of the first piece.
    for (let first = 0, start = 0; first < length; start = this.#offsets[first]!) {
      // A piece that begins with ▁ begins a word, even where the word itself has a ▁.
      if (first > 0 && codePoints[first] === MARK_CODE_POINT) return -1;
      let end = length;
      let piece = this.#find(start, end);
      while (piece < 0 && --end > first) piece = this.#find(start, end);
      if (piece < 0) return -1;
      this.#pieces[count++] = piece;
      first = end;
    }
    return count;
  }

  #find(start: number, end: number): number {
    this.#work.left -= LOOKUP_WORK;
    return this.#table.find(this.#text, start, this.#offsets[end]!);
  }

  #write(codePoints: Int32Array, length: number): void {
    this.#length = 0;
    this.#putCodePoint(MARK_CODE_POINT);
    for (let i = 0; i < length; i++) {
      this.#offsets[i] = this.#length;
      this.#putCodePoint(codePoints[i]!);
    }
    this.#offsets[length] = this.#length;
  }

  #putCodePoint(codePoint: number): void {
    if (codePoint < 0x80) {
      this.#put(codePoint);
    } else if (codePoint < 0x800) {
      this.#put(0xc0 | (codePoint >> 6));
      this.#put(0x80 | (codePoint & 0x3f));
    } else if (codePoint < 0x10000) {
      this.#put(0xe0 | (codePoint >> 12));
      this.#put(0x80 | ((codePoint >> 6) & 0x3f));
      this.#put(0x80 | (codePoint & 0x3f));
    } else {
      this.#put(0xf0 | (codePoint >> 18));
      this.#put(0x80 | ((codePoint >> 12) & 0x3f));
      this.#put(0x80 | ((codePoint >> 6) & 0x3f));
      this.#put(0x80 | (codePoint & 0x3f));
    }
  }

  #put(byte: number): void {
    this.#text[this.#length++] = byte;
  }
}
