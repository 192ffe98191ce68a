/**
 * The patterns that cut a text into words, as machines that read one character after another: what
 * a word may become is known from its state, so that a text can be read in parts, and nothing is
 * read twice. A state and the class of the next character give the next state, or a cut; then the
 * same character is looked at again.
 */

/** Classes of characters. The letters of contractions are classes of their own, from `S` on. */
export const CLASS = {
  LETTER: 0,
  NUMBER: 1,
  SPACE: 2,
  /** White space that is neither U+0020 nor a line break. */
  BLANK: 3,
  /** `\r` or `\n` */
  BREAK: 4,
  OTHER: 5,
  APOSTROPHE: 6,
  /** A letter that is a contraction by itself: `'s`, `'t`, `'d`, `'m`. */
  S: 7,
  /** r or v, as in `'re`, `'ve`. */
  R: 8,
  E: 9,
  /** As in `'ll`. */
  L: 10,
} as const;
const CLASSES = Object.values(CLASS);

/** What the word so far is. */
export const STATE = {
  /** Empty. */
  START: 0,
  /** Letters, and whatever may stand before them. */
  WORD: 1,
  /** One digit; with a limit, two and three. */
  NUMBER: 2,
  NUMBER_2: 3,
  NUMBER_3: 4,
  /** One character that is neither letter, digit nor white space. */
  SIGN: 5,
  /** Several of them. */
  SIGNS: 6,
  /** The same and line breaks. */
  SIGNS_BREAKS: 7,
  SPACE: 8,
  BLANK: 9,
  /** White space of two characters or more. */
  SPACES: 10,
  /** White space with a line break that is a place to cut. */
  BREAKS: 11,
  APOSTROPHE: 12,
  /** `'r` or `'v` */
  APOSTROPHE_R: 13,
  /** `'l` */
  APOSTROPHE_L: 14,
  CONTRACTION: 15,
} as const;
const STATES = Object.values(STATE);

/** Where to cut, in place of a state. */
export const CUT = {
  /** Behind the word so far. */
  ALL: 16,
  /** Before its last character. */
  LAST: 17,
  /** Behind its last line break. */
  BREAK: 18,
  /** Behind its first character, which is an apostrophe; what is left is a letter. */
  FIRST: 19,
} as const;

/** A class that stands for the end of the text, and bits of a class. */
const END = CLASSES.length;
export const CLASS_BITS = 4;

export interface WordPattern {
  /** By `state << CLASS_BITS | class`: the next `STATE`, or a `CUT`. */
  readonly next: Uint8Array;
  /** By state: where to cut when the text ends. */
  readonly end: Uint8Array;
  /** Are contractions found in capitals too, and with ſ, which is an s to caseless patterns? */
  readonly isCaseless: boolean;
}

type Step = (state: number, kind: number) => number;

const isLetter = (kind: number) => kind === CLASS.LETTER || (kind >= CLASS.S && kind < END);
const isSign = (kind: number) => kind === CLASS.OTHER || kind === CLASS.APOSTROPHE;
const isWhite = (kind: number) => kind >= CLASS.SPACE && kind <= CLASS.BREAK;

/** After an apostrophe: the state that a letter of a contraction leads to. */
function contraction(state: number, kind: number): number | undefined {
  if (state === STATE.APOSTROPHE) {
    if (kind === CLASS.S) return STATE.CONTRACTION;
    if (kind === CLASS.R) return STATE.APOSTROPHE_R;
    return kind === CLASS.L ? STATE.APOSTROPHE_L : undefined;
  }
  const last = state === STATE.APOSTROPHE_R ? CLASS.E : CLASS.L;
  const isInside = state === STATE.APOSTROPHE_R || state === STATE.APOSTROPHE_L;
  return isInside && kind === last ? STATE.CONTRACTION : undefined;
}

/**
 * GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
 */
const gpt2: Step = (state, kind) => {
  const inside = contraction(state, kind);
  if (inside !== undefined) return inside;
  switch (state) {
    case STATE.START:
      if (kind === CLASS.APOSTROPHE) return STATE.APOSTROPHE;
      if (kind === CLASS.SPACE) return STATE.SPACE;
      return isWhite(kind) ? STATE.BLANK : begin(kind);
    case STATE.SPACE:
      return isWhite(kind) ? STATE.SPACES : begin(kind);
    case STATE.BLANK:
      return isWhite(kind) ? STATE.SPACES : CUT.ALL;
    case STATE.SPACES:
      if (isWhite(kind)) return STATE.SPACES;
      return kind === END ? CUT.ALL : CUT.LAST;
    case STATE.APOSTROPHE_R:
    case STATE.APOSTROPHE_L:
      return CUT.FIRST;
    case STATE.APOSTROPHE:
      return isSign(kind) ? STATE.SIGNS : CUT.ALL;
    case STATE.CONTRACTION:
      return CUT.ALL;
    default:
      return begin(kind) === state ? state : CUT.ALL;
  }

  /** The state of a word of such characters, be there a space before them or not. */
  function begin(first: number): number {
    if (isLetter(first)) return STATE.WORD;
    if (first === CLASS.NUMBER) return STATE.NUMBER;
    return isSign(first) ? STATE.SIGNS : CUT.ALL;
  }
};

/**
 * Llama 3, with at most three digits, and Qwen2, with one:
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|`
 * `\s*[\r\n]+|\s+(?!\S)|\s+`
 */
const llama3 =
  (digitsMax: 1 | 3): Step =>
  (state, kind) => {
    const inside = contraction(state, kind);
    if (inside !== undefined) return inside;
    switch (state) {
      case STATE.START:
        if (isLetter(kind)) return STATE.WORD;
        if (isWhite(kind)) return white(kind);
        if (kind === CLASS.NUMBER) return STATE.NUMBER;
        return kind === CLASS.APOSTROPHE ? STATE.APOSTROPHE : STATE.SIGN;
      case STATE.WORD:
      case STATE.APOSTROPHE_R:
      case STATE.APOSTROPHE_L:
        return isLetter(kind) ? STATE.WORD : CUT.ALL;
      case STATE.NUMBER:
      case STATE.NUMBER_2:
        return kind === CLASS.NUMBER && digitsMax === 3 ? state + 1 : CUT.ALL;
      case STATE.SIGN:
      case STATE.APOSTROPHE:
        return isLetter(kind) ? STATE.WORD : signs(kind);
      case STATE.SIGNS:
        return signs(kind);
      case STATE.SIGNS_BREAKS:
        return kind === CLASS.BREAK ? state : CUT.ALL;
      case STATE.SPACE:
      case STATE.BLANK:
        if (isLetter(kind)) return STATE.WORD;
        if (isSign(kind) && state === STATE.SPACE) return STATE.SIGNS;
        if (!isWhite(kind)) return CUT.ALL;
        return kind === CLASS.BREAK ? STATE.BREAKS : STATE.SPACES;
      case STATE.SPACES:
        if (!isWhite(kind)) return kind === END ? CUT.ALL : CUT.LAST;
        return kind === CLASS.BREAK ? STATE.BREAKS : STATE.SPACES;
      case STATE.BREAKS:
        return isWhite(kind) ? STATE.BREAKS : CUT.BREAK;
      default:
        return CUT.ALL;
    }

    function white(first: number): number {
      if (first === CLASS.BREAK) return STATE.BREAKS;
      return first === CLASS.SPACE ? STATE.SPACE : STATE.BLANK;
    }

    function signs(following: number): number {
      if (isSign(following)) return STATE.SIGNS;
      return following === CLASS.BREAK ? STATE.SIGNS_BREAKS : CUT.ALL;
    }
  };

function pattern(step: Step, isCaseless: boolean): WordPattern {
  const next = new Uint8Array(STATES.length << CLASS_BITS);
  const end = new Uint8Array(STATES.length);
  for (const state of STATES) {
    for (const kind of CLASSES) next[(state << CLASS_BITS) | kind] = step(state, kind);
    end[state] = step(state, END);
  }
  return { next, end, isCaseless };
}

export const GPT2_PATTERN = pattern(gpt2, false);

export function llama3Pattern(digitsMax: 1 | 3): WordPattern {
  return pattern(llama3(digitsMax), true);
}
