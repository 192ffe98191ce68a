import { GgufEmbedError, invalidArgument } from "../errors.ts";

export const QUEUE_LIMIT_DEFAULT = 65_536;

/** How many texts a model has taken on and not yet answered, and that they stay few enough. */
export class Admission {
  readonly limit: number;
  #texts = 0;
  readonly #waiters: (() => void)[] = [];

  constructor(limit: number = QUEUE_LIMIT_DEFAULT) {
    if (!Number.isInteger(limit) || limit < 1) {
      throw invalidArgument(`queueLimit is ${limit}; it must be a whole number from 1`);
    }
    this.limit = limit;
  }

  /** Texts that were admitted and have not left. */
  get texts(): number {
    return this.#texts;
  }

  get isFull(): boolean {
    return this.#texts >= this.limit;
  }

  /**
   * Takes texts on. A call is taken as a whole or not at all, so one that finds room may go beyond
   * the limit.
   */
  enter(texts: number): void {
    if (this.isFull) {
      throw new GgufEmbedError(
        "QUEUE_FULL",
        `${this.#texts} texts wait already, and the limit is ${this.limit}; try again when some ` +
          "are done, use stream(), which waits by itself, or raise queueLimit",
      );
    }
    this.#texts += texts;
  }

  leave(texts: number): void {
    this.#texts -= texts;
    while (!this.isFull) {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) break;
      waiter();
    }
  }

  /** Resolves when there may be room; who comes first is told first. */
  room(): Promise<void> {
    if (!this.isFull) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}
