import { CodePointSet } from "./code-point-set.ts";
import * as unicode from "./grapheme-unicode.ts";

/** What a code point does to the graphemes it is in. Below 16. */
export const CLASS = {
  OTHER: 0,
  CONTROL: 1,
  /** A control character to which a line feed is joined. */
  CARRIAGE_RETURN: 2,
  PREPENDED: 3,
  PICTOGRAPH: 4,
  CONSONANT: 5,
  HANGUL_L: 6,
  HANGUL_V: 7,
  HANGUL_T: 8,
  HANGUL_LV: 9,
  HANGUL_LVT: 10,
  /** From here on: joined to whatever is before, but for control characters. */
  SPACING: 11,
  MARK: 12,
  CONSONANT_MARK: 13,
  LINKER: 14,
  JOINER: 15,
} as const;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const ZERO_WIDTH_JOINER = 0x200d;
const SYLLABLES = { first: 0xac00, last: 0xd7a3, perLv: 28 };

const SETS: readonly (readonly [CodePointSet, number])[] = [
  [new CodePointSet(unicode.CONTROL), CLASS.CONTROL],
  [new CodePointSet(unicode.PREPENDED), CLASS.PREPENDED],
  [new CodePointSet(unicode.LINKERS), CLASS.LINKER],
  [new CodePointSet(unicode.CONSONANT_MARKS), CLASS.CONSONANT_MARK],
  [new CodePointSet(unicode.PICTOGRAPH_MARKS), CLASS.MARK],
  [new CodePointSet(unicode.EXTENDING), CLASS.SPACING],
  [new CodePointSet(unicode.PICTOGRAPHS), CLASS.PICTOGRAPH],
  [new CodePointSet(unicode.CONSONANTS), CLASS.CONSONANT],
  // `HangulSyllableType.txt` of Unicode; those in use never change.
  [new CodePointSet("1100-115f a960-a97c"), CLASS.HANGUL_L],
  [new CodePointSet("1160-11a7 d7b0-d7c6"), CLASS.HANGUL_V],
  [new CodePointSet("11a8-11ff d7cb-d7fb"), CLASS.HANGUL_T],
];

export function classOf(codePoint: number): number {
  if (codePoint === CARRIAGE_RETURN) return CLASS.CARRIAGE_RETURN;
  if (codePoint === ZERO_WIDTH_JOINER) return CLASS.JOINER;
  if (codePoint >= SYLLABLES.first && codePoint <= SYLLABLES.last) {
    const isLv = (codePoint - SYLLABLES.first) % SYLLABLES.perLv === 0;
    return isLv ? CLASS.HANGUL_LV : CLASS.HANGUL_LVT;
  }
  return SETS.find(([codePoints]) => codePoints.has(codePoint))?.[1] ?? CLASS.OTHER;
}

/** What a grapheme has had that may join it to what comes. */
const NOTHING = 0;
const PICTOGRAPH = 1;
const PICTOGRAPH_JOINER = 2;
const CONSONANT = 3;
const CONSONANT_LINKER = 4;

/**
 * Divides code points into extended grapheme clusters (Unicode Standard Annex 29), but for flags:
 * their two characters have eight bytes, and no rule looks at so long a grapheme.
 */
export class Graphemes {
  #previous: number = CLASS.CONTROL;
  #chain = NOTHING;

  /** What comes next begins a grapheme. */
  reset(): void {
    this.#previous = CLASS.CONTROL;
    this.#chain = NOTHING;
  }

  /** Does the code point, of class `next`, belong to the grapheme of those before it? */
  joins(next: number, codePoint: number): boolean {
    const isJoined = this.#isJoined(next, codePoint);
    this.#previous = next;
    this.#chain = chainAfter(this.#chain, next);
    return isJoined;
  }

  #isJoined(next: number, codePoint: number): boolean {
    const previous = this.#previous;
    if (previous <= CLASS.CARRIAGE_RETURN && previous !== CLASS.OTHER) {
      return previous === CLASS.CARRIAGE_RETURN && codePoint === LINE_FEED;
    }
    if (next === CLASS.CONTROL || next === CLASS.CARRIAGE_RETURN) return false;
    if (next >= CLASS.SPACING || previous === CLASS.PREPENDED) return true;
    if (next === CLASS.PICTOGRAPH) return this.#chain === PICTOGRAPH_JOINER;
    if (next === CLASS.CONSONANT) return this.#chain === CONSONANT_LINKER;
    return isHangulJoined(previous, next);
  }
}

function isHangulJoined(previous: number, next: number): boolean {
  switch (previous) {
    case CLASS.HANGUL_L:
      return next >= CLASS.HANGUL_L && next <= CLASS.HANGUL_LVT && next !== CLASS.HANGUL_T;
    case CLASS.HANGUL_V:
    case CLASS.HANGUL_LV:
      return next === CLASS.HANGUL_V || next === CLASS.HANGUL_T;
    case CLASS.HANGUL_T:
    case CLASS.HANGUL_LVT:
      return next === CLASS.HANGUL_T;
    default:
      return false;
  }
}

function chainAfter(chain: number, next: number): number {
  const isPictograph = chain === PICTOGRAPH;
  const isConsonant = chain === CONSONANT || chain === CONSONANT_LINKER;
  switch (next) {
    case CLASS.PICTOGRAPH:
      return PICTOGRAPH;
    case CLASS.CONSONANT:
      return CONSONANT;
    case CLASS.MARK:
      return isPictograph ? chain : NOTHING;
    case CLASS.CONSONANT_MARK:
      return isPictograph || isConsonant ? chain : NOTHING;
    case CLASS.LINKER:
      if (isPictograph) return chain;
      return isConsonant ? CONSONANT_LINKER : NOTHING;
    case CLASS.JOINER:
      if (isPictograph) return PICTOGRAPH_JOINER;
      return isConsonant ? chain : NOTHING;
    default:
      return NOTHING;
  }
}
