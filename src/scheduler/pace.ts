/**
 * How long a batch should run. Longer ones gain: of 128 tokens it reaches some nine tenths of the
 * speed of 2,048, of 1,024 all but three per cent, since threads meet at its end. Shorter ones let
 * a text that comes in between have its turn sooner.
 */
const BATCH_MS_ALONE = 320;
const BATCH_MS_SHARED = 30;
/** Fewer tokens than these a thread leave it waiting for memory rather than computing. */
const TOKENS_A_THREAD_MIN = 32;
/** Multiply-adds that a thread does in a millisecond, before anything is measured. */
const MACS_A_MS_FIRST = 200e6;
/** Weight of a new measurement. */
const LEARNING = 0.3;

export interface PaceSettings {
  readonly threads: number;
  /** Tokens that a batch should have at most. */
  readonly budget: number;
  /** Tokens that it can have at most; at least the context length. */
  readonly capacity: number;
  /** Multiply-adds of the model for a token. */
  readonly macsPerToken: number;
}

/** What waits when a batch is made. */
export interface Backlog {
  /** Callers. */
  readonly lines: number;
  /** Tokens of the longest text that is next. */
  readonly longest: number;
}

/** Learns how fast a model runs, and says how large the next batch may be. */
export class Pace {
  readonly #settings: PaceSettings;
  readonly #firstGuess: number;
  #tokensPerMs: number | undefined;

  constructor(settings: PaceSettings) {
    this.#settings = settings;
    const { threads, macsPerToken } = settings;
    this.#firstGuess = (threads * MACS_A_MS_FIRST) / Math.max(1, macsPerToken);
  }

  /** Tokens a millisecond; undefined before the first batch. */
  get tokensPerMs(): number | undefined {
    return this.#tokensPerMs;
  }

  observe(tokens: number, ms: number): void {
    // A short batch is bound by reading the weights: it says nothing about long ones.
    if (ms <= 0 || tokens < TOKENS_A_THREAD_MIN * this.#settings.threads) return;
    const found = tokens / ms;
    const known = this.#tokensPerMs ?? found;
    this.#tokensPerMs = known + LEARNING * (found - known);
  }

  /** How long a batch of so many tokens is expected to run. */
  expectedMs(tokens: number): number {
    return tokens / (this.#tokensPerMs ?? this.#firstGuess);
  }

  /**
   * Most tokens of the next batch. A caller that is alone gets a text for each thread, however
   * long: threads that share nothing are the fastest.
   */
  budget({ lines, longest }: Backlog): number {
    const { threads, budget, capacity } = this.#settings;
    const speed = this.#tokensPerMs ?? this.#firstGuess;
    const isAlone = lines <= 1;
    const timed = Math.min(budget, speed * (isAlone ? BATCH_MS_ALONE : BATCH_MS_SHARED));
    const least = Math.max(TOKENS_A_THREAD_MIN, isAlone ? longest : 0) * threads;
    return Math.min(capacity, Math.round(Math.max(least, timed)));
  }
}
