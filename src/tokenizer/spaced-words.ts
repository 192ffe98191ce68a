import { grown, trimmed } from "./scratch.ts";
import { isMark, MARK_BYTES } from "./vocabulary.ts";
import { whiteSpaceLength } from "./white-space.ts";

const SPACE = 0x20;
const DELETE = 0x7f;

/** What a file says of white space. */
export interface SpaceRules {
  /** Does a text begin with a ▁ of its own? */
  readonly addSpacePrefix: boolean;
  /** Is a run of white space one ▁, and none at the ends of a text? */
  readonly removeExtraSpaces: boolean;
}

/**
 * Cuts a text before each ▁, which stands for a space: no piece reaches across. With
 * `removeExtraSpaces` as `WhitespaceSplit` and then `Metaspace` of Hugging Face `tokenizers` do it,
 * where any white space ends a word; without as `Metaspace` alone.
 */
export class SpacedWords {
  /** The word, `bytes[0, length)`. */
  bytes = new Uint8Array(0);
  length = 0;
  isWhole = false;
  readonly #rules: SpaceRules;
  /** Was there a word of this text? */
  #isInText = false;

  constructor(rules: SpaceRules) {
    this.#rules = rules;
  }

  /** Goes on with `text[start, end)`, whole characters, until a word is whole. Says how far. */
  take(text: Uint8Array, start: number, end: number): number {
    if (this.isWhole) this.#startWord();
    this.bytes = grown(this.bytes, this.length + MARK_BYTES.length + (end - start));
    for (let i = start; i < end; ) {
      const byte = text[i]!;
      if (byte > SPACE && byte < DELETE) {
        this.#put(byte);
        i++;
        continue;
      }
      const space = this.#spaceLength(text, i, end);
      if (space === 0) {
        this.#put(byte);
        i++;
      } else if (this.length > 0) {
        this.isWhole = true;
        return i;
      } else {
        if (!this.#isSkipped(text, i, end)) this.#putMark();
        i += space;
      }
    }
    return end;
  }

  /** The text ends here; another begins. Is there a word left? */
  finish(): boolean {
    this.#isInText = false;
    if (this.isWhole || this.length === 0) return false;
    this.isWhole = true;
    return true;
  }

  /** Forgets the text, and gives back what a huge word needed. */
  reset(): void {
    this.#startWord();
    this.#isInText = false;
    this.bytes = trimmed(this.bytes);
  }

  #startWord(): void {
    this.length = 0;
    this.isWhole = false;
  }

  #spaceLength(text: Uint8Array, at: number, end: number): number {
    if (isMark(text, at, end)) return MARK_BYTES.length;
    if (this.#rules.removeExtraSpaces) return whiteSpaceLength(text, at);
    return text[at] === SPACE ? 1 : 0;
  }

  #isSkipped(text: Uint8Array, at: number, end: number): boolean {
    return this.#rules.removeExtraSpaces && !isMark(text, at, end);
  }

  #put(byte: number): void {
    if (this.length === 0 && this.#hasMark()) this.#putMark();
    this.#isInText = true;
    this.bytes[this.length++] = byte;
  }

  /** Does a word that has no ▁ in the text get one? */
  #hasMark(): boolean {
    return this.#isInText || this.#rules.addSpacePrefix;
  }

  #putMark(): void {
    this.#isInText = true;
    for (const byte of MARK_BYTES) this.bytes[this.length++] = byte;
  }
}
