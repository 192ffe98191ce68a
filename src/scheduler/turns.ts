import { abortable } from "../pipeline/abortable.ts";

/** Milliseconds of work after which the event loop's other work has its turn. */
const SLICE_MS = 2;

interface Work {
  readonly steps: Iterator<unknown, void>;
  readonly failed: (error: unknown) => void;
  readonly isWanted: () => boolean;
}

/**
 * Work of many calls on this thread, cut into slices: between two of them, timers and sockets have
 * their turn. Who comes first begins first; what is longer than a slice goes on behind the others.
 */
export class Turns {
  readonly #queue: Work[] = [];
  #sliceEnd = 0;
  #isScheduled = false;

  /** Milliseconds that this slice still has; what runs may divide its next step by them. */
  get msLeft(): number {
    return this.#sliceEnd - performance.now();
  }

  /**
   * Runs `steps` to its end, now if this turn of the event loop has time left, or until it is
   * wanted no more. Each step should take well below a millisecond.
   */
  run(
    steps: Iterator<unknown, void>,
    failed: (error: unknown) => void,
    isWanted: () => boolean = () => true,
  ): void {
    this.#queue.push({ steps, failed, isWanted });
    if (this.#isScheduled) {
      // Somebody's slice of this turn: what is left of it may be used.
      if (this.#queue.length === 1) this.#work();
      return;
    }
    this.#begin();
  }

  /**
   * What `steps` gives at its end. Rejects with the signal's reason when aborted, and goes no
   * further then.
   */
  finish<T>(steps: Generator<unknown, T>, signal?: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    function* work() {
      resolve(yield* steps);
    }
    this.run(work(), reject, () => signal?.aborted !== true);
    return abortable(promise, signal);
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
    while (this.msLeft > 0) {
      const work = this.#queue[0];
      if (work === undefined) return;
      if (this.#advance(work)) this.#queue.push(work);
      this.#queue.shift();
    }
  }

  /** Whether there is more to do when the slice is over. */
  #advance({ steps, failed, isWanted }: Work): boolean {
    try {
      while (isWanted() && !steps.next().done) if (this.msLeft <= 0) return true;
    } catch (error) {
      failed(error);
    }
    return false;
  }
}

/** What `steps` gives at its end, all at once. */
export function atOnce<T>(steps: Generator<unknown, T>): T {
  while (true) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** One for all models, and for all else that takes long: they share the thread. */
export const turns: Turns = new Turns();
