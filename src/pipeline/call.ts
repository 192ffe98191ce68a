import { GgufEmbedError } from "../errors.ts";
import type { Receiver } from "../scheduler/fair-queue.ts";
import type { ReadyText } from "./reader.ts";

/** One text's part of the result. */
export interface Vector {
  /** A view of the call's buffer: `[dimensions]`, or `[tokens][dimensions]`. */
  readonly vector: Float32Array;
  readonly tokens: number;
  readonly truncated: number;
}

export interface CallSettings {
  readonly texts: number;
  readonly dimensions: number;
  /** A vector for every token rather than for every text. */
  readonly tokenLevel: boolean;
  /** Told of each vector as it comes. */
  readonly arrived: (text: ReadyText, vector: Float32Array) => void;
}

/**
 * Puts together what one call asked for: vectors come in any order, from batches that other calls
 * share, and end in one buffer in the caller's order.
 */
export class Call implements Receiver {
  /** Resolves when every text has its vector; rejects with the first failure. */
  readonly finished: Promise<void>;
  readonly #settings: CallSettings;
  readonly #outcome = Promise.withResolvers<void>();
  readonly #texts: ReadyText[] = [];
  readonly #vectors: Vector[];
  /** `[texts][dimensions]`; empty with a vector for every token: each text has its own array. */
  readonly rows: Float32Array;
  #missing: number;
  #isOver = false;

  constructor(settings: CallSettings) {
    this.#settings = settings;
    this.#missing = settings.texts;
    this.#vectors = new Array(settings.texts);
    const rows = settings.tokenLevel ? 0 : settings.texts;
    this.rows = new Float32Array(rows * settings.dimensions);
    this.finished = this.#outcome.promise;
    if (settings.texts === 0) this.#finish();
  }

  /** Whether nothing that comes now makes a difference. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** In the caller's order; whole once the call is finished. */
  get vectors(): readonly Vector[] {
    return this.#vectors;
  }

  get texts(): number {
    return this.#settings.texts;
  }

  /** The next text in order; its tag is its position. */
  add(text: ReadyText): void {
    this.#texts.push(text);
    if (text.vector !== undefined) this.#put(this.#texts.length - 1, text.vector);
  }

  vector(tag: number, vector: Float32Array): void {
    if (this.#isOver) return;
    const text = this.#texts[tag]!;
    this.#settings.arrived(text, vector);
    this.#put(tag, vector);
  }

  failed(error: unknown, tag?: number): void {
    this.fail(tag === undefined ? error : ofText(error, this.#texts[tag]!.index));
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outcome.reject(error);
  }

  #put(tag: number, vector: Float32Array): void {
    const { tokens, truncated } = this.#texts[tag]!;
    this.#vectors[tag] = { vector: this.#keep(tag, vector), tokens, truncated };
    this.#missing -= 1;
    if (this.#missing === 0) this.#finish();
  }

  #keep(tag: number, vector: Float32Array): Float32Array {
    if (this.#settings.tokenLevel) return vector.slice();
    const { dimensions } = this.#settings;
    const row = this.rows.subarray(tag * dimensions, (tag + 1) * dimensions);
    row.set(vector);
    return row;
  }

  #finish(): void {
    this.#isOver = true;
    this.#outcome.resolve();
  }
}

/** The error with the text at fault for its subject. */
function ofText(error: unknown, index: number): unknown {
  if (!(error instanceof GgufEmbedError)) return error;
  const message = `text ${index} has no vector: ${error.message}`;
  return new GgufEmbedError(error.code, message, { index, cause: error });
}
