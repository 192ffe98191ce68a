import type { AddedTokens, AddedTokenVisitor } from "./added-tokens.ts";
import type { BertNormalizer } from "./bert-normalizer.ts";
import { BertWords } from "./bert-words.ts";
import { type Encoder, Work } from "./encoder.ts";
import type { PieceTable } from "./piece-table.ts";
import { IdList } from "./scratch.ts";
import { TextScanner } from "./text-scanner.ts";
import { WordMatcher } from "./word-matcher.ts";

/** What all texts of a tokenizer share. */
export interface WordPieceParts {
  readonly added: AddedTokens;
  readonly normalizer: BertNormalizer;
  readonly table: PieceTable;
  /** Id of `[UNK]`. */
  readonly unknown: number;
}

/** Words are short, so that only the last one of a window is ever unfinished. */
export class WordPieceEncoder implements Encoder, AddedTokenVisitor {
  readonly work = new Work();
  readonly ids = new IdList();
  readonly #words: BertWords;
  readonly #scanner: TextScanner;

  constructor({ added, normalizer, table, unknown }: WordPieceParts, windowUnits?: number) {
    const matcher = new WordMatcher(table, unknown, this.work);
    this.#words = new BertWords(normalizer, (codePoints, length) =>
      matcher.encode(codePoints, length, this.ids),
    );
    const options = windowUnits === undefined ? {} : { windowUnits };
    this.#scanner = new TextScanner(added, this, this.work, options);
  }

  begin(text: string): void {
    this.#scanner.begin(text);
  }

  advance(): boolean {
    return this.#scanner.advance();
  }

  reset(): void {
    this.ids.reset();
    this.#scanner.begin("");
    this.#words.reset();
  }

  text(text: Uint8Array, start: number, end: number): number {
    this.#words.cut(text, start, end);
    return end;
  }

  finish(): boolean {
    this.#words.finish();
    return true;
  }

  token(id: number): void {
    this.ids.push(id);
  }
}
