import { type BertNormalizer, KIND, KIND_MASK, RULE_BITS } from "./bert-normalizer.ts";

/** Code points; a longer word is unknown as a whole (`max_input_chars_per_word` of BERT). */
export const WORD_LENGTH_MAX = 100;

/**
 * Takes a word, `codePoints[0, length)`. A length beyond `WORD_LENGTH_MAX` is told, but only so
 * many code points are there.
 */
export type WordSink = (codePoints: Int32Array, length: number) => void;

/** Cuts UTF-8 text into normalised words. */
export class BertWords {
  readonly #normalizer: BertNormalizer;
  readonly #sink: WordSink;
  readonly #word = new Int32Array(WORD_LENGTH_MAX);
  #length = 0;
  /** Where the run of nonstarters at the end of the word begins. */
  #run = 0;

  constructor(normalizer: BertNormalizer, sink: WordSink) {
    this.#normalizer = normalizer;
    this.#sink = sink;
  }

  /**
   * Gives the words of `bytes[start, end)`, well-formed UTF-8, to the sink, but for the last, which
   * may go on until `finish`.
   */
  cut(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; ) {
      const first = bytes[i]!;
      const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
      // The first of n bytes carries 7 - n bits (of one byte 7), each other one 6.
      let codePoint = length === 1 ? first : first & (0x7f >> length);
      for (let j = 1; j < length; j++) codePoint = (codePoint << 6) | (bytes[i + j]! & 0x3f);
      this.#apply(this.#normalizer.rule(codePoint));
      i += length;
    }
  }

  #apply(rule: number): void {
    const codePoint = rule >> RULE_BITS;
    switch (rule & KIND_MASK) {
      case KIND.LETTER:
        this.#append(codePoint);
        this.#run = this.#length;
        break;
      case KIND.NONSTARTER:
        this.#insert(codePoint);
        break;
      case KIND.ISOLATED:
        this.finish();
        this.#append(codePoint);
        this.finish();
        break;
      case KIND.SPACE:
        this.finish();
        break;
      case KIND.BARRIER:
        this.#run = this.#length;
        break;
      case KIND.SEQUENCE:
        for (const part of this.#normalizer.sequences[codePoint]!) this.#apply(part);
        break;
    }
  }

  #append(codePoint: number): void {
    if (this.#length < WORD_LENGTH_MAX) this.#word[this.#length] = codePoint;
    this.#length++;
  }

  /** Canonical ordering: behind the last of the run whose combining class is not higher. */
  #insert(codePoint: number): void {
    this.#append(codePoint);
    // The order in a word that is unknown for its length does not matter.
    if (this.#length > WORD_LENGTH_MAX) return;
    const value = this.#normalizer.combiningClass(codePoint);
    let i = this.#length - 1;
    for (; i > this.#run; i--) {
      const before = this.#word[i - 1]!;
      if (this.#normalizer.combiningClass(before) <= value) break;
      this.#word[i] = before;
    }
    this.#word[i] = codePoint;
  }

  /** Forgets a word that was not finished. */
  reset(): void {
    this.#length = 0;
    this.#run = 0;
  }

  /** Ends the last word. */
  finish(): void {
    const length = this.#length;
    this.reset();
    if (length > 0) this.#sink(this.#word, length);
  }
}
