/** Weight of a new observation. */
const LEARNING = 0.05;
const FACTOR_MAX = 20;
/** Of the deadline, how much a request may be expected to take. */
const SHARE_MAX = 0.5;
/** Waits below this say nothing of how far an expectation was off. */
const EXPECTED_MS_MIN = 50;

/**
 * Learns by how much requests take longer than the model alone expects: other work of this process
 * and of the machine is not in the model's pace. So what is let in can be done in time.
 */
export class Load {
  readonly #deadlineMs: number;
  #factor = 1;

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  /** Seconds after which to try again, where a request that comes now would take too long. */
  refusal(expectedMs: number): number | undefined {
    const likelyMs = expectedMs * this.#factor;
    if (likelyMs <= this.#deadlineMs * SHARE_MAX) return undefined;
    return Math.ceil(likelyMs / 1000);
  }

  observe(expectedMs: number, tookMs: number): void {
    if (expectedMs < EXPECTED_MS_MIN) {
      // Nothing waits: whatever was slow before is over, a little at a time.
      this.#factor += LEARNING * (1 - this.#factor);
      return;
    }
    const found = Math.min(FACTOR_MAX, Math.max(1, tookMs / expectedMs));
    this.#factor += LEARNING * (found - this.#factor);
  }
}
