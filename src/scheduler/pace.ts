/**
 * How long a batch should run. Longer ones gain a few per cent (a batch of 128 tokens reaches some
 * nine tenths of the speed of 2,048), shorter ones let a text that comes in between have its turn
 * sooner.
 */
const BATCH_MS_ALONE = 160;
const BATCH_MS_SHARED = 30;
/** Fewer tokens than these a thread leave it waiting for memory rather than computing. */
const TOKENS_A_THREAD_MIN = 32;
/** Before anything is measured. */
const TOKENS_A_MS_FIRST = 3;
/** Weight of a new measurement. */
const LEARNING = 0.3;

/** What waits when a batch is made. */
export interface Backlog {
  /** Callers. */
  readonly lines: number;
  /** Tokens of the longest text that is next. */
  readonly longest: number;
}

/** Learns how fast a model runs, and says how large the next batch may be. */
export class Pace {
  readonly #threads: number;
  readonly #capacity: number;
  #tokensPerMs: number | undefined;

  /** @param capacity most tokens of a batch */
  constructor(threads: number, capacity: number) {
    this.#threads = threads;
    this.#capacity = capacity;
  }

  /** Tokens a millisecond; undefined before the first batch. */
  get tokensPerMs(): number | undefined {
    return this.#tokensPerMs;
  }

  observe(tokens: number, ms: number): void {
    // A short batch is bound by reading the weights: it says nothing about long ones.
    if (ms <= 0 || tokens < TOKENS_A_THREAD_MIN * this.#threads) return;
    const found = tokens / ms;
    const known = this.#tokensPerMs ?? found;
    this.#tokensPerMs = known + LEARNING * (found - known);
  }

  /** How long a batch of so many tokens is expected to run. */
  expectedMs(tokens: number): number {
    return tokens / (this.#tokensPerMs ?? TOKENS_A_MS_FIRST);
  }

  /**
   * Most tokens of the next batch. A caller that is alone gets a text for each thread, however
   * long: threads that share nothing are the fastest.
   */
  budget({ lines, longest }: Backlog): number {
    const speed = this.#tokensPerMs ?? TOKENS_A_MS_FIRST;
    const least = TOKENS_A_THREAD_MIN * this.#threads;
    const wanted =
      lines > 1
        ? Math.max(least, speed * BATCH_MS_SHARED)
        : Math.max(least, speed * BATCH_MS_ALONE, longest * this.#threads);
    return Math.min(this.#capacity, Math.round(wanted));
  }
}
