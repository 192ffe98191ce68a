import { type CharsmapRules, RULE } from "./charsmap-rules.ts";
import { Graphemes } from "./grapheme-class.ts";
import { grown, trimmed } from "./scratch.ts";

/** Rules look at no longer graphemes as a whole: `Precompiled` of Hugging Face `tokenizers`. */
const GRAPHEME_BYTES_MAX = 5;
/** From space to tilde: graphemes of their own where the next byte is one of these, too. */
const isPrintable = (byte: number | undefined) => byte !== undefined && byte >= 0x20 && byte < 0x7f;

/**
 * `Precompiled` of Hugging Face `tokenizers`, a text as it comes. Of a grapheme of at most five
 * bytes, the shortest key that it begins with replaces all of it, whatever else is in it; in others
 * each character is replaced by itself. So `e` and an acute accent become `é`, but with four
 * accents they stay.
 */
export class CharsmapNormalizer {
  /** What the text has become, `bytes[0, length)`. Who calls takes it and sets the length to 0. */
  bytes = new Uint8Array(0);
  length = 0;
  readonly #rules: CharsmapRules;
  readonly #graphemes = new Graphemes();
  /** The last grapheme, as far as it is known. One that is too long is written already. */
  readonly #pending = new Uint8Array(GRAPHEME_BYTES_MAX);
  readonly #pendingRules = new Int32Array(GRAPHEME_BYTES_MAX);
  readonly #pendingEnds = new Int32Array(GRAPHEME_BYTES_MAX);
  #count = 0;
  #isLong = false;

  constructor(rules: CharsmapRules) {
    this.#rules = rules;
  }

  /** Goes on with `text[start, end)`: whole characters of well-formed UTF-8. */
  normalize(text: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    for (let i = start; i < end; ) {
      const byte = text[i]!;
      const isEnd = isPrintable(byte) && i + 1 < end && isPrintable(text[i + 1]);
      if (isEnd && this.#count === 0) {
        this.#write(this.#rules.rule(byte), text, i, ++i);
      } else {
        const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        this.#take(text, i, i + length);
        i += length;
      }
      if (isEnd) this.finish();
    }
  }

  /** The grapheme ends here, and with it perhaps the text. */
  finish(): void {
    this.#flush();
    this.#isLong = false;
    this.#graphemes.reset();
  }

  /** Forgets the text, and gives back what a huge one needed. */
  reset(): void {
    this.#count = 0;
    this.finish();
    this.length = 0;
    this.bytes = trimmed(this.bytes);
  }

  #take(text: Uint8Array, start: number, end: number): void {
    const codePoint = codePointAt(text, start, end);
    const rule = this.#rules.rule(codePoint);
    const isJoined = this.#graphemes.joins(rule & RULE.CLASS_MASK, codePoint);
    if (!isJoined) {
      this.#flush();
      this.#isLong = false;
    }
    const before = this.#count === 0 ? 0 : this.#pendingEnds[this.#count - 1]!;
    const length = before + end - start;
    if (this.#isLong || length > GRAPHEME_BYTES_MAX) {
      this.#writeSingly();
      this.#isLong = true;
      this.#write(rule, text, start, end);
      return;
    }
    for (let i = start; i < end; i++) this.#pending[before + i - start] = text[i]!;
    this.#pendingRules[this.#count] = rule;
    this.#pendingEnds[this.#count] = length;
    this.#count++;
  }

  /** Writes the grapheme that has ended. */
  #flush(): void {
    const count = this.#count;
    if (count === 0) return;
    const replacement = count === 1 ? -1 : this.#findReplacement();
    if (replacement < 0) {
      this.#writeSingly();
      return;
    }
    this.#count = 0;
    this.#writeReplacement(replacement);
  }

  /** Of the shortest key that the grapheme begins with, or -1. */
  #findReplacement(): number {
    const first = this.#pendingRules[0]!;
    if (first >> RULE.SHIFT > 0) return (first >> RULE.SHIFT) - 1;
    if ((first & RULE.BEGINS_KEY) === 0) return -1;
    const { charsmap } = this.#rules;
    const length = this.#pendingEnds[this.#count - 1]!;
    let node = charsmap.root;
    for (let i = 0; i < length; i++) {
      node = charsmap.step(node, this.#pending[i]!);
      if (node < 0) return -1;
      if (charsmap.replacement >= 0) return charsmap.replacement;
    }
    return -1;
  }

  #writeSingly(): void {
    let start = 0;
    for (let i = 0; i < this.#count; i++) {
      const end = this.#pendingEnds[i]!;
      this.#write(this.#pendingRules[i]!, this.#pending, start, end);
      start = end;
    }
    this.#count = 0;
  }

  #write(rule: number, text: Uint8Array, start: number, end: number): void {
    if (rule >> RULE.SHIFT > 0) {
      this.#writeReplacement((rule >> RULE.SHIFT) - 1);
      return;
    }
    this.#reserve(end - start);
    for (let i = start; i < end; i++) this.bytes[this.length++] = text[i]!;
  }

  #writeReplacement(start: number): void {
    const { charsmap } = this.#rules;
    const end = charsmap.endOf(start);
    this.#reserve(end - start);
    for (let i = start; i < end; i++) this.bytes[this.length++] = charsmap.bytes[i]!;
  }

  #reserve(more: number): void {
    if (this.length + more > this.bytes.length) this.bytes = grown(this.bytes, this.length + more);
  }
}

function codePointAt(text: Uint8Array, start: number, end: number): number {
  const first = text[start]!;
  if (end - start === 1) return first;
  let codePoint = first & (0x7f >> (end - start));
  for (let i = start + 1; i < end; i++) codePoint = (codePoint << 6) | (text[i]! & 0x3f);
  return codePoint;
}
