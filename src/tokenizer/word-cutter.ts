import { LEADS, TRAILS } from "./byte-characters.ts";
import { CLASS_MASK, type CodePoints, codePointAt, sequenceLength } from "./code-points.ts";
import { grown, trimmed } from "./scratch.ts";
import { CLASS_BITS, CUT, STATE, type WordPattern } from "./word-pattern.ts";

/** Takes a word, `bytes[0, length)`, which stay as they are. False to pause. */
export interface WordSink {
  word(bytes: Uint8Array<ArrayBuffer>, length: number): boolean;
}

/** Cuts UTF-8 text into the words of a pattern, in the characters that stand for bytes. */
export class WordCutter {
  readonly #pattern: WordPattern;
  readonly #codePoints: CodePoints;
  readonly #sink: WordSink;
  /** The word so far, and what takes the place of its memory while the sink still needs it. */
  #word = new Uint8Array(0);
  #other = new Uint8Array(0);
  #length = 0;
  #state: number = STATE.START;
  /** Where the last character of the word begins, and where its last line break ends. */
  #last = 0;
  #break = 0;

  constructor(pattern: WordPattern, codePoints: CodePoints, sink: WordSink) {
    this.#pattern = pattern;
    this.#codePoints = codePoints;
    this.#sink = sink;
  }

  /** Reads `text[start, end)`, whole characters. Returns how far it came; less is a pause. */
  text(text: Uint8Array, start: number, end: number): number {
    const { ascii } = this.#codePoints;
    const { next } = this.#pattern;
    // A byte becomes a character of two at most.
    this.#word = grown(this.#word, this.#length + 2 * (end - start));
    for (let i = start; i < end; ) {
      const first = text[i]!;
      const kind = first < 0x80 ? ascii[first]! : this.#kindAt(text, i);
      const step = next[(this.#state << CLASS_BITS) | kind]!;
      if (step >= CUT.ALL) {
        if (!this.#cut(step)) return i;
        continue;
      }
      this.#state = step;
      i = this.#append(text, i);
      if (step === STATE.BREAKS && (first === 0x0a || first === 0x0d)) this.#break = this.#length;
    }
    return end;
  }

  /** Ends the last word. False to pause. */
  finish(): boolean {
    while (this.#length > 0) {
      if (!this.#cut(this.#pattern.end[this.#state]!)) return false;
    }
    return true;
  }

  /** Forgets what was not finished, and gives back what a huge word needed. */
  reset(): void {
    this.#word = trimmed(this.#word);
    this.#other = trimmed(this.#other);
    this.#length = 0;
    this.#state = STATE.START;
  }

  #kindAt(text: Uint8Array, at: number): number {
    return this.#codePoints.of(codePointAt(text, at)) & CLASS_MASK;
  }

  /** Appends the character that begins at `text[at]`, and returns where it ends. */
  #append(text: Uint8Array, at: number): number {
    const word = this.#word;
    const end = at + sequenceLength(text[at]!);
    let length = this.#length;
    this.#last = length;
    for (let i = at; i < end; i++) {
      const byte = text[i]!;
      if (LEADS[byte] !== 0) word[length++] = LEADS[byte]!;
      word[length++] = TRAILS[byte]!;
    }
    this.#length = length;
    return end;
  }

  /** Gives the first part of the word to the sink. What is left is a word that begins. */
  #cut(where: number): boolean {
    const word = this.#word;
    const length = this.#length;
    let cut = length;
    if (where === CUT.LAST) cut = this.#last;
    else if (where === CUT.BREAK) cut = this.#break;
    else if (where === CUT.FIRST) cut = 1;
    const mayGoOn = this.#sink.word(word, cut);
    if (mayGoOn) word.copyWithin(0, cut, length);
    else {
      this.#word = grown(this.#other, length - cut);
      this.#word.set(word.subarray(cut, length));
      this.#other = word;
    }
    this.#length = length - cut;
    this.#last -= cut;
    this.#state = where === CUT.FIRST ? STATE.WORD : this.#stateOfRest();
    return mayGoOn;
  }

  /** What is left is nothing, or white space without a line break to cut at. */
  #stateOfRest(): number {
    if (this.#length === 0) return STATE.START;
    if (this.#last > 0) return STATE.SPACES;
    const isSpace = this.#word[0] === LEADS[0x20] && this.#word[1] === TRAILS[0x20];
    return isSpace && this.#length === 2 ? STATE.SPACE : STATE.BLANK;
  }
}
