import type { Charsmap } from "./charsmap.ts";
import { classOf } from "./grapheme-class.ts";

/** Rules are worked out when a code point first occurs, and kept in pages. */
const PAGE_BITS = 8;
const PAGE_MASK = 2 ** PAGE_BITS - 1;
const CODE_POINTS = 0x110000;

/**
 * What is known of a code point: its `CLASS` in the low bits; may a key begin with it and go on;
 * and above, where its replacement begins, plus 1, or 0 if it stays as it is.
 */
export const RULE = { CLASS_MASK: 0xf, BEGINS_KEY: 0x10, KNOWN: 0x20, SHIFT: 6 } as const;

/** A charsmap, looked up by code point. All texts of a tokenizer share it. */
export class CharsmapRules {
  readonly charsmap: Charsmap;
  readonly #pages = new Array<Int32Array | undefined>(CODE_POINTS >> PAGE_BITS);

  constructor(charsmap: Charsmap) {
    this.charsmap = charsmap;
  }

  rule(codePoint: number): number {
    const page = this.#pages[codePoint >> PAGE_BITS] ?? this.#addPage(codePoint >> PAGE_BITS);
    const rule = page[codePoint & PAGE_MASK]!;
    if (rule !== 0) return rule;
    page[codePoint & PAGE_MASK] = this.#derive(codePoint);
    return page[codePoint & PAGE_MASK]!;
  }

  #addPage(index: number): Int32Array {
    const page = new Int32Array(PAGE_MASK + 1);
    this.#pages[index] = page;
    return page;
  }

  /** Of keys of which one begins with another, the shortest counts, as in Hugging Face. */
  #derive(codePoint: number): number {
    const { charsmap } = this;
    const known = classOf(codePoint) | RULE.KNOWN;
    let node = charsmap.root;
    for (const byte of new TextEncoder().encode(String.fromCodePoint(codePoint))) {
      node = charsmap.step(node, byte);
      if (node < 0) return known;
      if (charsmap.replacement >= 0) return ((charsmap.replacement + 1) << RULE.SHIFT) | known;
    }
    return known | RULE.BEGINS_KEY;
  }
}
