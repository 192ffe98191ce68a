import * as unicode from "./byte-level-unicode.ts";
import { CodePointSet } from "./code-point-set.ts";
import { CLASS } from "./word-pattern.ts";

/**
 * What is known of a code point: the class of characters in its low bits, what NFC may do with it,
 * and its combining class. Never 0.
 */
export const CLASS_MASK = 0xf;
export const NFC = {
  /** May become one with a character behind it, or is taken apart. */
  FIRST: 1 << 5,
  /** May become one with a character before it, or is taken apart into marks. */
  SECOND: 1 << 6,
  /** Not there in a normalised text. */
  CHANGED: 1 << 7,
} as const;
export const COMBINING_SHIFT = 8;
const IS_KNOWN = 1 << 4;

/** Worked out when a code point first occurs, and kept in pages. */
const PAGE_BITS = 8;
const PAGE_MASK = 2 ** PAGE_BITS - 1;
const CODE_POINTS = 0x110000;

const LONG_S = 0x17f;
const ASCII = 0x80;

const letters = new CodePointSet(unicode.LETTERS);
const numbers = new CodePointSet(unicode.NUMBERS);
const whiteSpace = new CodePointSet(unicode.WHITE_SPACE);
const firsts = new CodePointSet(unicode.COMPOSING_FIRSTS);
const seconds = new CodePointSet(unicode.COMPOSING_SECONDS);
const changed = new CodePointSet(unicode.NOT_NFC);
const combiningClasses = Object.entries(unicode.COMBINING_CLASSES).map(
  ([value, ranges]) => [Number(value), new CodePointSet(ranges)] as const,
);

const CONTRACTIONS: ReadonlyMap<string, number> = new Map([
  ["s", CLASS.S],
  ["t", CLASS.S],
  ["d", CLASS.S],
  ["m", CLASS.S],
  ["r", CLASS.R],
  ["v", CLASS.R],
  ["e", CLASS.E],
  ["l", CLASS.L],
]);

/** Code points as the patterns and the normaliser of byte-level BPE see them. */
export class CodePoints {
  /** Those of ASCII. */
  readonly ascii: Uint8Array;
  readonly #isCaseless: boolean;
  readonly #pages = new Array<Uint16Array | undefined>(CODE_POINTS >> PAGE_BITS);

  constructor(isCaseless: boolean) {
    this.#isCaseless = isCaseless;
    this.ascii = Uint8Array.from({ length: ASCII }, (_, codePoint) => this.#classify(codePoint));
  }

  of(codePoint: number): number {
    const pages = this.#pages;
    const page = pages[codePoint >> PAGE_BITS] ?? new Uint16Array(PAGE_MASK + 1);
    pages[codePoint >> PAGE_BITS] = page;
    const at = codePoint & PAGE_MASK;
    if (page[at] === 0) page[at] = this.#derive(codePoint);
    return page[at]!;
  }

  #derive(codePoint: number): number {
    const combining =
      combiningClasses.find(([, codePoints]) => codePoints.has(codePoint))?.[0] ?? 0;
    return (
      IS_KNOWN |
      this.#classify(codePoint) |
      (firsts.has(codePoint) ? NFC.FIRST : 0) |
      (seconds.has(codePoint) ? NFC.SECOND : 0) |
      (changed.has(codePoint) ? NFC.CHANGED : 0) |
      (combining << COMBINING_SHIFT)
    );
  }

  #classify(codePoint: number): number {
    const char = String.fromCodePoint(codePoint);
    if (char === "'") return CLASS.APOSTROPHE;
    if (char === " ") return CLASS.SPACE;
    if (char === "\r" || char === "\n") return CLASS.BREAK;
    if (letters.has(codePoint)) return this.#contraction(codePoint) ?? CLASS.LETTER;
    if (numbers.has(codePoint)) return CLASS.NUMBER;
    return whiteSpace.has(codePoint) ? CLASS.BLANK : CLASS.OTHER;
  }

  #contraction(codePoint: number): number | undefined {
    const char = String.fromCodePoint(codePoint);
    if (!this.#isCaseless) return CONTRACTIONS.get(char);
    if (codePoint === LONG_S) return CLASS.S;
    return codePoint < ASCII ? CONTRACTIONS.get(char.toLowerCase()) : undefined;
  }
}

/** The code point that begins at `text[at]`, well-formed UTF-8; the first byte is not ASCII. */
export function codePointAt(text: Uint8Array, at: number): number {
  const first = text[at]!;
  const second = text[at + 1]! & 0x3f;
  if (first < 0xe0) return ((first & 0x1f) << 6) | second;
  const third = text[at + 2]! & 0x3f;
  if (first < 0xf0) return ((first & 0x0f) << 12) | (second << 6) | third;
  return ((first & 0x07) << 18) | (second << 12) | (third << 6) | (text[at + 3]! & 0x3f);
}

/** Bytes of the UTF-8 sequence that begins with `first`. */
export function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
