import type { TokenCounter } from "./counter.ts";
import { divide, LEVEL, lines, STRENGTH, type Unit, WINDOW_UNITS } from "./units.ts";

interface Counted extends Unit {
  /** Tokens of it alone, white space before it included. */
  readonly tokens: number;
}

/**
 * The units of a document from the current chunk's first on, read as they are needed. The first
 * `repeated` are of the chunk before.
 */
export class UnitQueue {
  repeated = 0;
  readonly #text: string;
  readonly #counter: TokenCounter;
  readonly #lines: Iterator<Unit, void, undefined>;
  readonly #units: Counted[] = [];

  constructor(text: string, counter: TokenCounter) {
    this.#text = text;
    this.#counter = counter;
    this.#lines = lines(text);
  }

  /** The unit `index`, or undefined behind the last of the document. */
  *at(index: number): Generator<undefined, Counted | undefined, undefined> {
    while (index >= this.#units.length) {
      const next = this.#lines.next();
      if (next.done) return undefined;
      this.#units.push(yield* this.#counted(next.value));
    }
    return this.#units[index];
  }

  /** A unit that was read already. */
  known(index: number): Counted {
    return this.#units[index]!;
  }

  /** Tokens of a unit that was read already, without white space before it. */
  *own(index: number): Generator<undefined, number, undefined> {
    const unit = this.known(index);
    return unit.start === unit.content ? unit.tokens : yield* this.#count(unit.content, unit);
  }

  /** Puts finer units in the place of one, and returns how many; 0 if it cannot be divided so. */
  *divide(index: number, deepest: number): Generator<undefined, number, undefined> {
    const finer = divide(this.#text, this.known(index), deepest);
    yield* this.#counter.work(WINDOW_UNITS);
    const counted: Counted[] = [];
    for (const unit of finer) counted.push(yield* this.#counted(unit));
    if (counted.length > 0) this.#units.splice(index, 1, ...counted);
    return counted.length;
  }

  /** Makes `first` the first unit, of which `repeated` are of the chunk before. */
  begin(first: number, repeated: number): void {
    this.#units.splice(0, first);
    this.repeated = repeated;
  }

  /**
   * Where to begin again so that about `overlap` tokens before the unit `cut` are repeated: at a
   * sentence if one begins in the first half of them, at a word otherwise. Also returns where `cut`
   * is now, since units may have been divided.
   */
  *repeat(cut: number, overlap: number): Generator<undefined, [first: number, cut: number]> {
    let end = cut;
    let first = cut;
    let sentence = cut;
    let tokens = 0;
    // A chunk begins behind the beginning of the one before.
    while (first > 1) {
      const unit = this.known(first - 1);
      if (tokens + unit.tokens <= overlap) {
        tokens += unit.tokens;
        first--;
        if (unit.strength >= STRENGTH.SENTENCE && tokens >= overlap / 2) sentence = first;
        continue;
      }
      const count = yield* this.divide(first - 1, LEVEL.WORDS);
      if (count < 2) break;
      first += count - 1;
      end += count - 1;
      sentence += count - 1;
    }
    if (sentence < end) return [sentence, end];
    while (first < end && this.known(first).strength < STRENGTH.WORD) first++;
    return [first, end];
  }

  *#counted(unit: Unit): Generator<undefined, Counted, undefined> {
    return { ...unit, tokens: yield* this.#count(unit.start, unit) };
  }

  *#count(start: number, { content, end }: Unit): Generator<undefined, number, undefined> {
    // What is too long to be looked at as a whole fits nowhere.
    const isLong = content - start > WINDOW_UNITS || end - content > WINDOW_UNITS;
    if (isLong) return Number.POSITIVE_INFINITY;
    return yield* this.#counter.count(this.#text.slice(start, end));
  }
}
