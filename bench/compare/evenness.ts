/** How much longer than usual some calls take, next to a loop that only computes. */
import { unitsOf } from "./control.ts";
import type { Measure } from "./measure.ts";
import { evennessFigure, makeEntry } from "./results.ts";
import { median } from "./statistics.ts";

const TRIAL_CALLS = 20;

/**
 * One text a call, and after each call as much computing on as many threads: whatever the machine
 * does to the one it does to the other.
 */
export const measureEvenness: Measure = async (work, model, [ours], conditions) => {
  const { worker } = ours!;
  const { threads, pairs, yardstick } = conditions;
  const { id, texts, ids, bars } = work;
  await worker.ask("prepare", { case: id, model, threads, texts, ids });
  const { seconds } = await worker.ask("run", { case: id, times: TRIAL_CALLS });
  const units = await unitsOf(yardstick, threads, median(seconds));
  const calls: number[] = [];
  const control: number[] = [];
  for (let i = 0; i < pairs; i++) {
    calls.push(...(await worker.ask("run", { case: id, times: 1 })).seconds);
    control.push((await yardstick.control(threads, units)).seconds);
  }
  await worker.ask("release", { case: id });
  return {
    entries: [
      makeEntry("beside the control loop", "", [calls]),
      makeEntry("the control loop", "", [control]),
    ],
    figures: [evennessFigure(calls, control, bars.evenness ?? null)],
  };
};
