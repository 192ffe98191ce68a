import type { AddedTokens, AddedTokenVisitor } from "./added-tokens.ts";
import type { CodePoints } from "./code-points.ts";
import { type Encoder, LOOKUP_WORK, Work } from "./encoder.ts";
import type { MergeList } from "./merge-list.ts";
import { NfcNormalizer } from "./nfc.ts";
import { PairMerger } from "./pair-merger.ts";
import type { PieceTable } from "./piece-table.ts";
import type { PreTokenizer } from "./pre-tokenizers.ts";
import { IdList } from "./scratch.ts";
import type { SegmentCache } from "./segment-cache.ts";
import { TextScanner } from "./text-scanner.ts";
import { WordCutter, type WordSink } from "./word-cutter.ts";

/** What all texts of a tokenizer share. None of it changes but the cache, which changes no ids. */
export interface ByteLevelParts {
  readonly preTokenizer: PreTokenizer;
  readonly added: AddedTokens;
  readonly codePoints: CodePoints;
  readonly table: PieceTable;
  readonly merges: MergeList;
  readonly cache: SegmentCache;
}

/** Every byte is a piece. */
const NO_UNKNOWN_CHARACTERS = { byteIds: undefined, unknown: -1 };

/** Added tokens, normaliser, pre-tokeniser and merges, one behind the other. */
export class ByteLevelEncoder implements Encoder, AddedTokenVisitor, WordSink {
  readonly work = new Work();
  readonly ids = new IdList();
  readonly merger: PairMerger;
  readonly #parts: ByteLevelParts;
  readonly #scanner: TextScanner;
  readonly #words: WordCutter;
  readonly #normalizer: NfcNormalizer | undefined;
  #isMerging = false;

  constructor(parts: ByteLevelParts, windowUnits?: number) {
    const { preTokenizer, added, codePoints, table, merges } = parts;
    this.#parts = parts;
    const options = windowUnits === undefined ? {} : { windowUnits };
    this.#scanner = new TextScanner(added, this, this.work, options);
    this.#words = new WordCutter(preTokenizer.pattern, codePoints, this);
    if (preTokenizer.isNfc) {
      this.#normalizer = new NfcNormalizer(codePoints, this.#words, this.work);
    }
    this.merger = new PairMerger(table, merges, NO_UNKNOWN_CHARACTERS, this.work);
  }

  begin(text: string): void {
    this.#scanner.begin(text);
  }

  advance(): boolean {
    if (this.#isMerging && !this.merger.advance(this.ids)) return false;
    this.#isMerging = false;
    return this.#scanner.advance();
  }

  reset(): void {
    this.ids.reset();
    this.#scanner.begin("");
    this.#normalizer?.reset();
    this.#words.reset();
    this.merger.reset();
    this.#isMerging = false;
  }

  text(text: Uint8Array, start: number, end: number): number {
    return (this.#normalizer ?? this.#words).text(text, start, end);
  }

  finish(): boolean {
    return (this.#normalizer?.finish() ?? true) && this.#words.finish();
  }

  token(id: number): void {
    this.ids.push(id);
  }

  word(bytes: Uint8Array<ArrayBuffer>, length: number): boolean {
    const { cache } = this.#parts;
    if (!cache.find(bytes, length, this.ids)) {
      const start = this.ids.length;
      if (!this.#putPiece(bytes, length)) {
        this.merger.begin(bytes, length);
        this.#isMerging = !this.merger.advance(this.ids);
        // One that is paused is too long for the cache.
        if (this.#isMerging) return false;
      }
      cache.put(bytes, length, this.ids, start);
    }
    return this.work.left > 0;
  }

  /** False unless the word is a piece, and that is all there is to it. */
  #putPiece(bytes: Uint8Array, length: number): boolean {
    if (!this.#parts.preTokenizer.ignoresMerges) return false;
    this.work.left -= LOOKUP_WORK;
    const piece = this.#parts.table.find(bytes, 0, length);
    if (piece >= 0) this.ids.push(piece);
    return piece >= 0;
  }
}
