import type { AddedTokens, AddedTokenVisitor } from "./added-tokens.ts";
import type { Work } from "./encoder.ts";
import { Utf8Text } from "./scratch.ts";
import { MARK } from "./vocabulary.ts";

/**
 * UTF-16 units of a text that are looked at together. Small, so that a step is short where each
 * byte costs much; large, so that reading the end of each window twice costs little.
 */
export const WINDOW_UNITS = 2048;
const MARK_UNIT = MARK.charCodeAt(0);
const CHARACTER_BYTES_MAX = 4;
/** All but the first byte of a UTF-8 sequence are 10xxxxxx. */
const isContinuation = (byte: number) => (byte & 0xc0) === 0x80;

/**
 * Reads a text from left to right, window by window, and tells its added tokens and what is between
 * them. The end of a window in which a token may begin that reaches beyond it is left to the next,
 * so that windows have no influence on what is found.
 *
 * Where a text holds ▁ itself and `readsMarks`: Hugging Face looks for user-defined tokens before
 * spaces become ▁, so that `▁▁` in a text is found as the token of two spaces; a ▁ that is left
 * over reads as a space.
 */
export class TextScanner {
  readonly #added: AddedTokens;
  readonly #visitor: AddedTokenVisitor;
  readonly #work: Work;
  readonly #readsMarks: boolean;
  readonly #windowUnits: number;
  /** Bytes at the end of a window that are left to the next: a token, or half a surrogate pair. */
  readonly #lookahead: number;
  readonly #utf8 = new Utf8Text();
  #text = "";
  /** UTF-16 units up to the end of the window. */
  #read = 0;
  /** Of the window: bytes that are done, bytes to be done before the next, all bytes. */
  #done = 0;
  #stop = 0;
  #length = 0;

  constructor(
    added: AddedTokens,
    visitor: AddedTokenVisitor,
    work: Work,
    { readsMarks = false, windowUnits = WINDOW_UNITS } = {},
  ) {
    this.#added = added;
    this.#visitor = visitor;
    this.#work = work;
    this.#readsMarks = readsMarks;
    this.#lookahead = Math.max(added.longest, CHARACTER_BYTES_MAX);
    // Less than a window is left to the next: besides, only what else there is of a character.
    this.#windowUnits = Math.max(windowUnits, this.#lookahead + 2 * CHARACTER_BYTES_MAX);
  }

  begin(text: string): void {
    this.#text = text;
    this.#read = 0;
    this.#startWindow(0, 0);
  }

  /** Goes on until the text ends (true), the visitor wants to pause, or no work is left. */
  advance(): boolean {
    while (this.#work.left > 0) {
      if (this.#done < this.#stop) {
        const { bytes } = this.#utf8;
        const added = this.#added;
        this.#done = added.split(bytes, this.#done, this.#stop, this.#length, this.#visitor);
        if (this.#done < this.#stop) return false;
      }
      if (this.#done < this.#length) this.#giveBack();
      if (this.#read === this.#text.length) return this.#visitor.finish();
      const marks = this.#readsMarks ? this.#matchMarks(this.#read) : 0;
      if (marks === 0) this.#load();
      else if (!this.#takeMarks(marks)) return false;
    }
    return false;
  }

  /** Tells the token that `marks` units are; false to pause before it. */
  #takeMarks(marks: number): boolean {
    const { matched } = this.#added;
    if (!this.#visitor.finish()) return false;
    this.#visitor.token(matched);
    this.#read += marks;
    this.#work.left -= marks;
    return true;
  }

  #startWindow(stop: number, length: number): void {
    this.#done = 0;
    this.#stop = stop;
    this.#length = length;
  }

  /** Leaves what was not done of the window to the next. */
  #giveBack(): void {
    const { bytes } = this.#utf8;
    for (let i = this.#done; i < this.#length; i++) {
      if (!isContinuation(bytes[i]!)) this.#read -= bytes[i]! < 0xf0 ? 1 : 2;
    }
    this.#done = this.#length;
  }

  #load(): void {
    const start = this.#read;
    let end = Math.min(start + this.#windowUnits, this.#text.length);
    let window = this.#text.slice(start, end);
    let isWhole = end === this.#text.length;
    if (this.#readsMarks && window.includes(MARK)) {
      const token = this.#findMarks(window, start);
      if (token >= 0) {
        end = start + token;
        window = window.slice(0, token);
        isWhole = true;
      }
      window = window.replaceAll(MARK, " ");
    }
    const length = this.#utf8.write(window);
    let stop = isWhole ? length : length - this.#lookahead;
    while (stop < length && isContinuation(this.#utf8.bytes[stop]!)) stop--;
    this.#startWindow(stop, length);
    this.#read = end;
    this.#work.left -= length;
  }

  /** Where in the window the first token begins that is a run of ▁ in the text; -1 without one. */
  #findMarks(window: string, start: number): number {
    for (let at = window.indexOf(MARK); at >= 0; ) {
      if (this.#matchMarks(start + at) > 0) return at;
      // What begins no token here begins none later in the run, where less of it follows.
      while (window.charCodeAt(at) === MARK_UNIT) at++;
      at = window.indexOf(MARK, at);
    }
    return -1;
  }

  /** Length of the longest token that a run of ▁ from `start` on begins with; 0 without one. */
  #matchMarks(start: number): number {
    if (this.#text.charCodeAt(start) !== MARK_UNIT) return 0;
    const { spaces } = this.#added;
    let length = Math.min(1, spaces.length);
    while (length < spaces.length && this.#text.charCodeAt(start + length) === MARK_UNIT) length++;
    return length === 0 ? 0 : Math.max(0, this.#added.match(spaces, 0, length));
  }
}
