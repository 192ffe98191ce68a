import type { Yardstick } from "../yardstick.ts";

const TRIALS = 5;
const TRIAL_UNITS = 200;
/** Multiply-adds of a unit, on each thread. */
const UNIT = 2 ** 20;

/** Units of the yardstick's control that take about so many seconds on so many threads. */
export async function unitsOf(
  yardstick: Yardstick,
  threads: number,
  seconds: number,
): Promise<number> {
  let gmacs = 0;
  for (let i = 0; i < TRIALS; i++) {
    gmacs = Math.max(gmacs, (await yardstick.control(threads, TRIAL_UNITS)).gmacs);
  }
  return Math.max(1, Math.round((seconds * gmacs * 1e9) / threads / UNIT));
}
