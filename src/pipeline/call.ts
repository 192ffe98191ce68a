import { GgufEmbedError } from "../errors.ts";
import type { Receiver } from "../scheduler/fair-queue.ts";
import type { EmbedResult } from "../types.ts";
import type { Encoding } from "../vectors/types.ts";
import type { ReadyText } from "./reader.ts";
import type { Rows } from "./results.ts";

/** Told of each vector as it comes from the engine. */
export type Arrived = (text: ReadyText, vector: Float32Array) => void;

/**
 * Puts together what one call asked for: vectors come in any order, from batches that other calls
 * share, and end in one buffer in the caller's order.
 */
export class Call<E extends Encoding> implements Receiver {
  /** Resolves when every text has its vector; rejects with the first failure. */
  readonly finished: Promise<void>;
  /** In the caller's order; whole once the call is finished. */
  readonly results: EmbedResult<E>[];
  readonly #outcome = Promise.withResolvers<void>();
  readonly #texts: ReadyText[] = [];
  readonly #rows: Rows<E>;
  readonly #arrived: Arrived;
  readonly #tokenLimit: number;
  #tokens = 0;
  #missing: number;
  #isOver = false;

  constructor(texts: number, tokenLimit: number, rows: Rows<E>, arrived: Arrived) {
    this.results = new Array(texts);
    this.#tokenLimit = tokenLimit;
    this.#rows = rows;
    this.#arrived = arrived;
    this.#missing = texts;
    this.finished = this.#outcome.promise;
    if (texts === 0) this.#finish();
  }

  /** Whether nothing that comes now makes a difference. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The next text in order; its tag is its position. Throws `INPUT_TOO_LONG`, for the call. */
  add(text: ReadyText): void {
    this.#tokens += text.tokens;
    if (this.#tokens > this.#tokenLimit) throw tooManyTokens(this.#tokenLimit);
    this.#texts.push(text);
    if (text.vector !== undefined) this.#put(this.#texts.length - 1, text.vector);
  }

  vector(tag: number, vector: Float32Array): void {
    if (this.#isOver) return;
    const text = this.#texts[tag]!;
    this.#arrived(text, vector);
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
    this.results[tag] = { ...this.#rows.put(tag, vector), tokens, truncated };
    this.#missing -= 1;
    if (this.#missing === 0) this.#finish();
  }

  #finish(): void {
    this.#isOver = true;
    this.#outcome.resolve();
  }
}

function tooManyTokens(limit: number): GgufEmbedError {
  return new GgufEmbedError(
    "INPUT_TOO_LONG",
    `the texts have more than ${limit} tokens in all, the limit of a call; send fewer at a time`,
  );
}

/** The error with the text at fault for its subject. */
function ofText(error: unknown, index: number): unknown {
  if (!(error instanceof GgufEmbedError)) return error;
  const message = `text ${index} has no vector: ${error.message}`;
  return new GgufEmbedError(error.code, message, { index, cause: error });
}
