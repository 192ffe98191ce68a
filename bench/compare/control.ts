/**
 * A loop that only computes, on as many threads as the model: whatever makes its time vary is the
 * machine's doing, and varies the model's time too.
 */
import { join } from "node:path";
import { DONE, ITERATIONS, START } from "./control-thread.ts";

const CALIBRATION_ITERATIONS = 1_000_000;
const CALIBRATION_RUNS = 20;

export class Control {
  readonly #state = new Int32Array(new SharedArrayBuffer(12));
  readonly #threads: globalThis.Worker[];

  private constructor(threads: number) {
    const script = join(import.meta.dir, "control-thread.ts");
    this.#threads = Array.from({ length: threads }, () => {
      const thread = new globalThis.Worker(script);
      thread.postMessage(this.#state);
      return thread;
    });
  }

  /** A control of about so many seconds a run. */
  static calibrate(threads: number, seconds: number): Control {
    const control = new Control(threads);
    control.#state[ITERATIONS] = CALIBRATION_ITERATIONS;
    // The first runs wait for the threads to start and for their loop to be compiled.
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < CALIBRATION_RUNS; i++) fastest = Math.min(fastest, control.run());
    control.#state[ITERATIONS] = Math.ceil((CALIBRATION_ITERATIONS * seconds) / fastest);
    return control;
  }

  /** Seconds of one run. */
  run(): number {
    const start = performance.now();
    const state = this.#state;
    Atomics.store(state, DONE, 0);
    Atomics.add(state, START, 1);
    Atomics.notify(state, START);
    for (;;) {
      const done = Atomics.load(state, DONE);
      if (done === this.#threads.length) return (performance.now() - start) / 1000;
      Atomics.wait(state, DONE, done);
    }
  }

  close(): void {
    for (const thread of this.#threads) thread.terminate();
  }
}
