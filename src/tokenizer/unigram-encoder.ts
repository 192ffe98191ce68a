import type { AddedTokens, AddedTokenVisitor } from "./added-tokens.ts";
import { BestPath, type ScoredPieces } from "./best-path.ts";
import { CharsmapNormalizer } from "./charsmap-normalizer.ts";
import type { CharsmapRules } from "./charsmap-rules.ts";
import { type Encoder, Work } from "./encoder.ts";
import { IdList } from "./scratch.ts";
import type { SegmentCache } from "./segment-cache.ts";
import { Segments } from "./segments.ts";
import { SpacedWords, type SpaceRules } from "./spaced-words.ts";
import { TextScanner } from "./text-scanner.ts";

/** What all texts of a tokenizer share. None of it changes but the cache, which changes no ids. */
export interface UnigramParts {
  readonly added: AddedTokens;
  readonly pieces: ScoredPieces;
  readonly rules: CharsmapRules;
  readonly spaces: SpaceRules;
  readonly cache: SegmentCache;
}

/** What lies between added tokens is normalised, window by window, and cut into words. */
export class UnigramEncoder implements Encoder, AddedTokenVisitor {
  readonly work = new Work();
  readonly ids = new IdList();
  readonly #segments: Segments;
  readonly #normalizer: CharsmapNormalizer;
  readonly #words: SpacedWords;
  readonly #scanner: TextScanner;
  /** Bytes of the normalised text that have been cut into words. */
  #cut = 0;

  constructor({ added, pieces, rules, spaces, cache }: UnigramParts, windowUnits?: number) {
    this.#normalizer = new CharsmapNormalizer(rules);
    this.#words = new SpacedWords(spaces);
    this.#segments = new Segments(new BestPath(pieces, this.work), cache, this.ids, this.work);
    const options = windowUnits === undefined ? {} : { windowUnits };
    this.#scanner = new TextScanner(added, this, this.work, options);
  }

  begin(text: string): void {
    this.#scanner.begin(text);
  }

  advance(): boolean {
    return this.#goOn() && this.#scanner.advance();
  }

  reset(): void {
    this.ids.reset();
    this.#scanner.begin("");
    this.#normalizer.reset();
    this.#words.reset();
    this.#segments.reset();
    this.#cut = 0;
  }

  text(text: Uint8Array, start: number, end: number): number {
    // What came before is done: `advance` and `finish` see to that.
    this.#normalizer.normalize(text, start, end);
    this.work.left -= this.#normalizer.length;
    this.#goOn();
    return end;
  }

  finish(): boolean {
    if (!this.#goOn()) return false;
    // Once more brings nothing new, should there be a pause before it is done.
    this.#normalizer.finish();
    return this.#goOn() && (!this.#words.finish() || this.#encodeWord());
  }

  token(id: number): void {
    this.ids.push(id);
  }

  /** Encodes what is normalised. False if there is more to do, or no work left to go on. */
  #goOn(): boolean {
    if (!this.#segments.advance()) return false;
    const normalizer = this.#normalizer;
    const words = this.#words;
    while (this.#cut < normalizer.length) {
      this.#cut = words.take(normalizer.bytes, this.#cut, normalizer.length);
      if (words.isWhole && !this.#encodeWord()) return false;
    }
    this.#cut = 0;
    normalizer.length = 0;
    return this.work.left > 0;
  }

  #encodeWord(): boolean {
    return this.#segments.encode(this.#words.bytes, this.#words.length);
  }
}
