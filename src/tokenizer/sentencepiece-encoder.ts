import type { AddedTokens, AddedTokenVisitor } from "./added-tokens.ts";
import { type Encoder, Work } from "./encoder.ts";
import { PairMerger, ScoredMerges } from "./pair-merger.ts";
import type { PieceTable } from "./piece-table.ts";
import { grown, IdList, trimmed } from "./scratch.ts";
import type { SegmentCache } from "./segment-cache.ts";
import { Segments } from "./segments.ts";
import type { SentencePieceModel } from "./sentencepiece-model.ts";
import { TextScanner } from "./text-scanner.ts";
import { MARK_BYTES } from "./vocabulary.ts";

const SPACE = 0x20;

/** What all texts of a tokenizer share. None of it changes but the cache, which changes no ids. */
export interface SentencePieceParts {
  readonly model: SentencePieceModel;
  readonly added: AddedTokens;
  readonly table: PieceTable;
  /** `findBytesBeforeMark` */
  readonly beforeMark: Uint8Array;
  /** Is ▁ a piece by itself? A vocabulary that was cut short may lack it. */
  readonly hasMark: boolean;
  readonly cache: SegmentCache;
}

/**
 * What lies between added tokens is cut before a space wherever no piece joins the byte before it
 * and ▁: no merge can reach across, so the result is that of the whole. A run of unknown characters
 * may reach across; without byte tokens nothing is cut.
 */
export class SentencePieceEncoder implements Encoder, AddedTokenVisitor {
  readonly work = new Work();
  readonly ids = new IdList();
  readonly merger: PairMerger;
  readonly #parts: SentencePieceParts;
  readonly #segments: Segments;
  readonly #scanner: TextScanner;
  readonly #isCut: boolean;
  /** What goes to the merger at once, spaces as ▁; its length in bytes. */
  #segment = new Uint8Array(0);
  #length = 0;
  /** Was there text since the last added token? */
  #isInText = false;

  constructor(parts: SentencePieceParts, windowUnits?: number) {
    const { model, added, table, hasMark, cache } = parts;
    this.#parts = parts;
    // Where ▁ is no piece, there is nothing for it to be merged from: then it is a character like
    // others, as it always is to llama.cpp.
    const options = { readsMarks: hasMark, ...(windowUnits === undefined ? {} : { windowUnits }) };
    this.#scanner = new TextScanner(added, this, this.work, options);
    this.#isCut = model.unknownCharacters.byteIds !== undefined;
    const order = new ScoredMerges(model.scores);
    this.merger = new PairMerger(table, order, model.unknownCharacters, this.work);
    this.#segments = new Segments(this.merger, cache, this.ids, this.work);
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
    this.#segments.reset();
    this.#segment = trimmed(this.#segment);
    this.#length = 0;
    this.#isInText = false;
  }

  text(text: Uint8Array, start: number, end: number): number {
    let length = this.#length;
    if (!this.#isInText) {
      this.#isInText = true;
      this.#segment = grown(this.#segment, MARK_BYTES.length);
      if (this.#parts.model.addSpacePrefix) length = putMark(this.#segment, 0);
    }
    this.#segment = grown(this.#segment, length + (end - start) * MARK_BYTES.length);
    const segment = this.#segment;
    const { beforeMark } = this.#parts;
    for (let i = start; i < end; i++) {
      const byte = text[i]!;
      if (byte !== SPACE) {
        segment[length++] = byte;
        continue;
      }
      if (this.#isCut && length > 0 && beforeMark[segment[length - 1]!] === 0) {
        const isDone = this.#segments.encode(this.#segment, length);
        length = 0;
        if (!isDone) {
          this.#length = 0;
          return i;
        }
      }
      length = putMark(segment, length);
    }
    this.#length = length;
    return end;
  }

  finish(): boolean {
    if (!this.#isInText) return true;
    this.#isInText = false;
    const length = this.#length;
    this.#length = 0;
    return this.#segments.encode(this.#segment, length);
  }

  token(id: number): void {
    this.ids.push(id);
  }
}

function putMark(segment: Uint8Array, length: number): number {
  segment[length] = MARK_BYTES[0]!;
  segment[length + 1] = MARK_BYTES[1]!;
  segment[length + 2] = MARK_BYTES[2]!;
  return length + MARK_BYTES.length;
}
