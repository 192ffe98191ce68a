import { atOnce, turns } from "../scheduler/turns.ts";
import type { TextInput } from "../types.ts";
import { VectorCache } from "./cache.ts";
import { type PreparedText, prepareInSteps, type TextLimits } from "./prepare.ts";
import type { Settings } from "./settings.ts";

/** A prepared text, or one whose vector was known already. */
export interface ReadyText extends PreparedText {
  /** Position in the caller's input. */
  readonly index: number;
  /** Tokens that go, or went, through the model. */
  readonly tokens: number;
  /** Where the cache keeps its vector; absent without a cache. */
  readonly key?: string;
  /** The vector, from the cache; `ids` is empty then. */
  readonly vector?: Float32Array;
}

const NO_IDS = new Int32Array(0);

/** Makes texts ready for the engine, or finds that they need not go there. */
export class Reader {
  readonly #limits: TextLimits;
  readonly #cache: VectorCache | undefined;

  constructor(limits: TextLimits, cache: VectorCache | undefined) {
    this.#limits = limits;
    this.#cache = cache;
  }

  /** @param index of the text in the caller's input */
  *steps(
    input: TextInput,
    index: number,
    settings: Settings,
  ): Generator<undefined, ReadyText, undefined> {
    const key = this.#cache === undefined ? undefined : keyOf(input, settings);
    const known = key === undefined ? undefined : this.#cache?.find(key);
    if (known !== undefined) return { index, ids: NO_IDS, ...known };
    const text = yield* prepareInSteps(this.#limits, settings, input, index);
    const ready = { ...text, index, tokens: text.ids.length };
    return key === undefined ? ready : { ...ready, key };
  }

  /** All steps at once. */
  readNow(input: TextInput, index: number, settings: Settings): ReadyText {
    return atOnce(this.steps(input, index, settings));
  }

  /** The steps in turns with the event loop's other work. */
  read(
    input: TextInput,
    index: number,
    settings: Settings,
    signal: AbortSignal,
  ): Promise<ReadyText> {
    return turns.finish(this.steps(input, index, settings), signal);
  }
}

function keyOf(input: TextInput, settings: Settings): string {
  const { prompt, truncate, dimensions, normalize } = settings;
  return VectorCache.key(JSON.stringify([prompt, truncate, dimensions, normalize]), input);
}
