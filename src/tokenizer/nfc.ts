import {
  COMBINING_SHIFT,
  type CodePoints,
  codePointAt,
  NFC,
  sequenceLength,
} from "./code-points.ts";
import type { Work } from "./encoder.ts";
import { grown, trimmed } from "./scratch.ts";

/** Takes UTF-8 text, `text[start, end)`. Returns how far it came; less than `end` is a pause. */
export interface TextSink {
  text(text: Uint8Array, start: number, end: number): number;
}

const NONE = -1;
const CODE_POINTS = 0x110000;
/** Characters below U+0300 begin with a lower byte: all in NFC, and they join none before them. */
const FIRST_COMBINING_BYTE = 0xcc;
/** Of a character that is taken apart and put together again. */
const CHARACTER_WORK = 64;
/** Characters of a cluster that are given on at once. */
const BLOCK = 1024;

/**
 * Brings text to NFC as Hugging Face `tokenizers` does, whose tables are of another version of
 * Unicode than the runtime's. Most text is in that form, and is passed on after a look at it
 * (quick check of Unicode Standard Annex 15). What is not is taken apart into clusters, a character
 * and the marks behind it, and the marks are sorted here: the runtime does that in quadratic time.
 */
export class NfcNormalizer {
  readonly #codePoints: CodePoints;
  readonly #sink: TextSink;
  readonly #work: Work;
  /** The cluster that is not closed yet: its first character, and its marks by combining class. */
  #starter = NONE;
  #marks = new Map<number, number[]>();
  #markCount = 0;
  /** Marks of a closed cluster, in order, and how many of the first list were written. */
  #sorted: number[][] = [];
  #written = 0;
  /** What was written and is to be given on. */
  #out = new Uint8Array(0);
  #given = 0;
  #length = 0;

  constructor(codePoints: CodePoints, sink: TextSink, work: Work) {
    this.#codePoints = codePoints;
    this.#sink = sink;
    this.#work = work;
  }

  /** Reads `text[start, end)`, whole characters. Returns how far it came; less is a pause. */
  text(text: Uint8Array, start: number, end: number): number {
    for (let i = start; ; ) {
      if (!this.#give()) return i;
      if (i === end) return end;
      if (this.#isOpen()) {
        i = this.#collect(text, i, end);
        continue;
      }
      const safe = this.#findSafe(text, i, end);
      const reached = safe === i ? i : this.#sink.text(text, i, safe);
      if (reached < safe) return reached;
      i = this.#open(text, safe);
    }
  }

  /** Gives on all that is left. False to pause. */
  finish(): boolean {
    if (!this.#give()) return false;
    if (this.#isOpen()) this.#close();
    return this.#give();
  }

  /** Forgets a text that was not finished, and gives back what a huge one needed. */
  reset(): void {
    this.#out = trimmed(this.#out);
    this.#given = 0;
    this.#length = 0;
    this.#starter = NONE;
    this.#marks = new Map();
    this.#markCount = 0;
    this.#sorted = [];
    this.#written = 0;
  }

  #isOpen(): boolean {
    return this.#starter !== NONE || this.#markCount > 0;
  }

  /**
   * Up to where the text is normalised, whatever follows: to the beginning of the last cluster
   * before something that is not, or before the end.
   */
  #findSafe(text: Uint8Array, start: number, end: number): number {
    let cluster = start;
    let before = 0;
    for (let i = start; i < end; ) {
      if (text[i]! < FIRST_COMBINING_BYTE) {
        cluster = i;
        before = 0;
        i += sequenceLength(text[i]!);
        continue;
      }
      const found = this.#codePoints.of(codePointAt(text, i));
      const combining = found >> COMBINING_SHIFT;
      if (combining === 0 && (found & NFC.SECOND) === 0) cluster = i;
      const isOrdered = combining === 0 || combining >= before;
      if ((found & (NFC.SECOND | NFC.CHANGED)) !== 0 || !isOrdered) return cluster;
      before = combining;
      i += sequenceLength(text[i]!);
    }
    return cluster;
  }

  /** Opens a cluster with the character at `text[at]`, and returns where that ends. */
  #open(text: Uint8Array, at: number): number {
    const first = text[at]!;
    this.#takeApart(first < 0x80 ? first : codePointAt(text, at));
    return at + sequenceLength(first);
  }

  /** Takes what belongs to the cluster; closes it where there is something else. */
  #collect(text: Uint8Array, start: number, end: number): number {
    let i = start;
    while (i < end && text[i]! >= FIRST_COMBINING_BYTE) {
      const codePoint = codePointAt(text, i);
      const found = this.#codePoints.of(codePoint);
      if (found >> COMBINING_SHIFT === 0 && (found & NFC.SECOND) === 0) break;
      this.#takeApart(codePoint);
      i += sequenceLength(text[i]!);
      // Another cluster may have been closed.
      if (this.#length > 0) return i;
    }
    if (i < end) this.#close();
    return i;
  }

  #takeApart(codePoint: number): void {
    this.#work.left -= CHARACTER_WORK;
    if ((this.#codePoints.of(codePoint) & NFC.FIRST) === 0) {
      this.#add(codePoint);
      return;
    }
    for (const part of decompose(codePoint)) this.#add(part);
  }

  #add(codePoint: number): void {
    const combining = this.#codePoints.of(codePoint) >> COMBINING_SHIFT;
    if (combining > 0) {
      const marks = this.#marks.get(combining);
      if (marks === undefined) this.#marks.set(combining, [codePoint]);
      else marks.push(codePoint);
      this.#markCount++;
      return;
    }
    if (this.#markCount === 0 && this.#compose(codePoint)) return;
    if (this.#isOpen()) this.#close();
    this.#starter = codePoint;
  }

  /** Makes the starter and what is behind it one character, if there is one. */
  #compose(second: number): boolean {
    const first = this.#starter;
    if (first === NONE) return false;
    if ((this.#codePoints.of(first) & NFC.FIRST) === 0) return false;
    if ((this.#codePoints.of(second) & NFC.SECOND) === 0) return false;
    const composed = composition(first, second);
    if (composed !== NONE) this.#starter = composed;
    return composed !== NONE;
  }

  /**
   * Of each combining class, in ascending order, marks become one with the starter from the first
   * on; the first that does not blocks the way of those behind it.
   */
  #close(): void {
    const sorted: number[][] = [];
    for (const combining of [...this.#marks.keys()].sort((a, b) => a - b)) {
      const marks = this.#marks.get(combining)!;
      let first = 0;
      while (first < marks.length && this.#compose(marks[first]!)) first++;
      if (first < marks.length) sorted.push(first === 0 ? marks : marks.slice(first));
    }
    while (this.#sorted.length > 0) this.#writeBlock();
    if (this.#starter !== NONE) this.#write(this.#starter);
    this.#sorted = sorted;
    this.#starter = NONE;
    this.#marks.clear();
    this.#markCount = 0;
    this.#writeBlock();
  }

  /** Writes some of the marks of the closed cluster. */
  #writeBlock(): void {
    for (let count = 0; count < BLOCK; count++) {
      const marks = this.#sorted[0];
      if (marks === undefined) return;
      this.#write(marks[this.#written++]!);
      if (this.#written < marks.length) continue;
      this.#sorted.shift();
      this.#written = 0;
    }
  }

  #write(codePoint: number): void {
    const length = this.#length;
    this.#out = grown(this.#out, length + 4);
    const out = this.#out;
    if (codePoint < 0x80) {
      out[length] = codePoint;
      this.#length = length + 1;
      return;
    }
    const more = codePoint < 0x800 ? 1 : codePoint < 0x10000 ? 2 : 3;
    // The first of n bytes begins with n ones and a zero.
    out[length] = ((0xff00 >> (more + 1)) & 0xff) | (codePoint >> (6 * more));
    for (let i = 1; i <= more; i++) {
      out[length + i] = 0x80 | ((codePoint >> (6 * (more - i))) & 0x3f);
    }
    this.#length = length + more + 1;
  }

  /** Gives on what was written, and writes the rest. False to pause. */
  #give(): boolean {
    while (this.#length > 0) {
      this.#given = this.#sink.text(this.#out, this.#given, this.#length);
      if (this.#given < this.#length) return false;
      this.#given = 0;
      this.#length = 0;
      this.#writeBlock();
    }
    return true;
  }
}

/** What the runtime said: of no more characters and pairs than Unicode composes. */
const decompositions = new Map<number, readonly number[]>();
const compositions = new Map<number, number>();

function decompose(codePoint: number): readonly number[] {
  const known = decompositions.get(codePoint);
  if (known !== undefined) return known;
  const text = String.fromCodePoint(codePoint).normalize("NFD");
  const parts = Array.from(text, (part) => part.codePointAt(0)!);
  decompositions.set(codePoint, parts);
  return parts;
}

/** The character that the two become, or `NONE`. */
function composition(first: number, second: number): number {
  const pair = first * CODE_POINTS + second;
  const known = compositions.get(pair);
  if (known !== undefined) return known;
  const text = String.fromCodePoint(first, second).normalize("NFC");
  const codePoint = text.codePointAt(0)!;
  if (text.length !== String.fromCodePoint(codePoint).length) return NONE;
  compositions.set(pair, codePoint);
  return codePoint;
}
