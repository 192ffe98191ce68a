import { GgufEmbedError } from "../errors.ts";
import type { Embedder, EmbedOptions, EmbedResult, Truncate } from "../types.ts";

/** Texts of a batch that want their vectors. */
interface Order {
  readonly texts: readonly string[];
  readonly truncate: Truncate;
  readonly signal: AbortSignal | undefined;
  readonly results: EmbedResult[];
  readonly outcome: PromiseWithResolvers<EmbedResult[]>;
  /** Position of its first text in the stream that reads it. */
  start: number;
}

/**
 * All batches of a worker as one stream of texts. As calls of their own they would be company to
 * each other, for which the scheduler makes short batches: that costs a twentieth of the speed.
 */
export class Feed {
  readonly #model: Embedder;
  readonly #options: Pick<EmbedOptions, "task" | "dimensions">;
  /** In the order in which they came; those that are done are gone. */
  #orders: Order[] = [];
  #isRunning = false;
  #wake: () => void = () => {};

  constructor(model: Embedder, options: Pick<EmbedOptions, "task" | "dimensions">) {
    this.#model = model;
    this.#options = options;
  }

  /** Rejects with what `Embedder.embed` rejects with, or the signal's reason. */
  embed(
    texts: readonly string[],
    truncate: Truncate,
    signal: AbortSignal | undefined,
  ): Promise<EmbedResult[]> {
    const outcome = Promise.withResolvers<EmbedResult[]>();
    if (signal?.aborted) return Promise.reject(signal.reason);
    signal?.addEventListener("abort", () => outcome.reject(signal.reason), { once: true });
    this.#orders.push({ texts, truncate, signal, results: [], outcome, start: 0 });
    this.#wake();
    if (!this.#isRunning) void this.#run();
    return outcome.promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#orders.length > 0) await this.#stream(this.#orders[0]!.truncate);
    this.#isRunning = false;
  }

  /** Until nothing is left, one wants other options, or a text is at fault. */
  async #stream(truncate: Truncate): Promise<void> {
    const read: Order[] = [];
    try {
      const options = { ...this.#options, truncate };
      for await (const result of this.#model.stream(this.#texts(read, truncate), options)) {
        const order = this.#orders[0]!;
        order.results.push(result);
        if (order.results.length === order.texts.length) this.#finish(order);
        if (this.#orders.length === 0 || !this.#isAbandoned) continue;
        // Leaving the loop cancels what was read ahead; the reader must not wait for more.
        this.#wake();
        break;
      }
      this.#orders = this.#orders.filter(({ signal }) => !signal?.aborted);
    } catch (error) {
      this.#fail(read, error);
    }
    // What was read ahead is read again.
    for (const order of this.#orders) order.results.length = 0;
  }

  async *#texts(read: Order[], truncate: Truncate): AsyncGenerator<string> {
    let position = 0;
    for (;;) {
      const order = this.#orders.find((each) => !read.includes(each));
      if (order === undefined) {
        if (this.#isAbandoned) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      if (order.truncate !== truncate) return;
      read.push(order);
      order.start = position;
      position += order.texts.length;
      yield* order.texts;
    }
  }

  /** Whether nobody waits for anything any more. */
  get #isAbandoned(): boolean {
    return this.#orders.every(({ signal }) => signal?.aborted);
  }

  #finish(order: Order): void {
    this.#orders.shift();
    order.outcome.resolve(order.results);
    // The reader may wait for more, of which there is none now.
    this.#wake();
  }

  /** A text at fault costs its own batch; what else went wrong, all that are there. */
  #fail(read: readonly Order[], error: unknown): void {
    const index = error instanceof GgufEmbedError ? (error.index ?? -1) : -1;
    const atFault = read.filter(({ start, texts }) => {
      return start <= index && index < start + texts.length;
    });
    const concerned = atFault.length > 0 ? atFault : this.#orders;
    for (const order of concerned) order.outcome.reject(inOrder(error, order));
    this.#orders = this.#orders.filter((order) => !concerned.includes(order));
  }
}

/** The error with the text's position in its batch. */
function inOrder(error: unknown, { start }: Order): unknown {
  if (!(error instanceof GgufEmbedError) || error.index === undefined) return error;
  const index = error.index - start;
  const message = error.message.replace(`text ${error.index} `, `text ${index} `);
  return new GgufEmbedError(error.code, message, { cause: error, index });
}
