/** One thread of `Control`: waits, computes, says that it has, waits. */

/** Places in the shared state. */
export const START = 0;
export const DONE = 1;
export const ITERATIONS = 2;

declare const self: globalThis.Worker;

/** A chain that no compiler can shorten and that touches no memory. */
function spin(iterations: number): number {
  let state = 1;
  for (let i = 0; i < iterations; i++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  return state;
}

function serve(state: Int32Array): void {
  for (let round = 0; ; round++) {
    // One that comes late has missed no round: it counts them itself.
    while (Atomics.load(state, START) <= round) Atomics.wait(state, START, round);
    // Stored, so that the loop has a result that matters.
    lastState = spin(Atomics.load(state, ITERATIONS));
    Atomics.add(state, DONE, 1);
    Atomics.notify(state, DONE);
  }
}

export let lastState = 0;

if (!Bun.isMainThread) self.onmessage = ({ data }: MessageEvent<Int32Array>) => serve(data);
