import type { Tokenizer } from "../tokenizer/types.ts";

/** UTF-16 units from which on a text is tokenized in steps. */
const STEPPED_UNITS = 8192;
/** UTF-16 units that are tokenized between two pauses. */
const UNPAUSED_UNITS = 8192;

/** Counts tokens, and says by `undefined` when it is time to look after other work. */
export class TokenCounter {
  readonly #tokenizer: Tokenizer;
  #units = 0;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  *count(text: string): Generator<undefined, number, undefined> {
    if (text.length > STEPPED_UNITS) {
      return (yield* this.#tokenizer.encodeInSteps(text)).length;
    }
    yield* this.work(text.length);
    return this.#tokenizer.encode(text).length;
  }

  /** Other work on so many UTF-16 units. */
  *work(units: number): Generator<undefined, void, undefined> {
    this.#units += units;
    if (this.#units < UNPAUSED_UNITS) return;
    this.#units = 0;
    yield;
  }
}
