import type { AddedTokens, AddedTokenVisitor } from "./added-tokens.ts";
import type { CodePoints } from "./code-points.ts";
import { type Encoder, Work } from "./encoder.ts";
import type { MergeList } from "./merge-list.ts";
import { NfcNormalizer } from "./nfc.ts";
import { PairMerger } from "./pair-merger.ts";
import type { PieceTable } from "./piece-table.ts";
import type { PreTokenizer } from "./pre-tokenizers.ts";
import { IdList } from "./scratch.ts";
import type { SegmentCache } from "./segment-cache.ts";
import { Segments } from "./segments.ts";
import { TextScanner } from "./text-scanner.ts";
import { WholeWords } from "./whole-words.ts";
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
  readonly #segments: Segments;
  readonly #scanner: TextScanner;
  readonly #words: WordCutter;
  readonly #normalizer: NfcNormalizer | undefined;

  constructor(parts: ByteLevelParts, windowUnits?: number) {
    const { preTokenizer, added, codePoints, table, merges, cache } = parts;
    const options = windowUnits === undefined ? {} : { windowUnits };
    this.#scanner = new TextScanner(added, this, this.work, options);
    this.#words = new WordCutter(preTokenizer.pattern, codePoints, this);
    if (preTokenizer.isNfc) {
      this.#normalizer = new NfcNormalizer(codePoints, this.#words, this.work);
    }
    this.merger = new PairMerger(table, merges, NO_UNKNOWN_CHARACTERS, this.work);
    const solver = preTokenizer.ignoresMerges
      ? new WholeWords(table, this.merger, this.work)
      : this.merger;
    this.#segments = new Segments(solver, cache, this.ids, this.work);
  }

  begin(text: string): void {
    this.#scanner.begin(text);
  }

  advance(): boolean {
    return this.#segments.advance() && this.#scanner.advance();
  }

  reset(): void {
    this.ids.reset();
    this.#scanner.begin("");
    this.#normalizer?.reset();
    this.#words.reset();
    this.#segments.reset();
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
    return this.#segments.encode(bytes, length);
  }
}
