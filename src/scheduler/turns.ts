/** Milliseconds of work after which the event loop's other work has its turn. */
const SLICE_MS = 2;

interface Work {
  readonly steps: Iterator<unknown, void>;
  readonly failed: (error: unknown) => void;
}

/**
 * Work of many calls on this thread, cut into slices: between two of them, timers and sockets have
 * their turn. Who comes first begins first; what is longer than a slice goes on behind the others.
 */
export class Turns {
  readonly #queue: Work[] = [];
  #sliceEnd = 0;
  #isScheduled = false;

  /**
   * Runs `steps` to its end, now if this turn of the event loop has time left. Each step should
   * take well below a millisecond.
   */
  run(steps: Iterator<unknown, void>, failed: (error: unknown) => void): void {
    this.#queue.push({ steps, failed });
    if (this.#isScheduled) {
      // Somebody's slice of this turn: what is left of it may be used.
      if (this.#queue.length === 1) this.#work();
      return;
    }
    this.#begin();
  }

  #begin(): void {
    this.#sliceEnd = performance.now() + SLICE_MS;
    this.#isScheduled = true;
    setImmediate(() => {
      if (this.#queue.length > 0) this.#begin();
      else this.#isScheduled = false;
    });
    this.#work();
  }

  #work(): void {
    while (performance.now() < this.#sliceEnd) {
      const work = this.#queue[0];
      if (work === undefined) return;
      try {
        while (!work.steps.next().done) {
          if (performance.now() < this.#sliceEnd) continue;
          this.#queue.push(work);
          break;
        }
      } catch (error) {
        work.failed(error);
      }
      this.#queue.shift();
    }
  }
}

/** One for all models: they share the thread. */
export const turns: Turns = new Turns();
