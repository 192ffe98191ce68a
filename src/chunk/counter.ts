import { encodeByLength } from "../tokenizer/in-steps.ts";
import type { Tokenizer } from "../tokenizer/types.ts";

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
    yield* this.work(text.length);
    return (yield* encodeByLength(this.#tokenizer, text)).length;
  }

  /** Other work on so many UTF-16 units. */
  *work(units: number): Generator<undefined, void, undefined> {
    this.#units += units;
    if (this.#units < UNPAUSED_UNITS) return;
    this.#units = 0;
    yield;
  }
}
