/** What more threads bring, next to what they bring a loop that only computes. */
import { threadCount } from "../models.ts";
import { unitsOf } from "./control.ts";
import type { Measure } from "./measure.ts";
import { decodeVector } from "./protocol.ts";
import { type Entry, makeEntry, scalingFigure } from "./results.ts";

/** What is asked is asked of so many threads. */
const ASKED_THREADS = 2;

/** 1, 2, 4 and so on, to all cores. */
export function threadCounts(cores: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return [...counts, cores];
}

/** In each round one call and one run of the loop for each number of threads, in turn. */
export const measureScaling: Measure = async (work, model, [player], conditions) => {
  const { worker } = player!;
  const { rounds, cores, yardstick } = conditions;
  const { texts, ids, bars } = work;
  const points = [];
  for (const threads of threadCounts(cores)) {
    const id = `${work.id}-${threads}`;
    await worker.ask("load", { model, threads });
    await worker.ask("prepare", { case: id, model, threads, texts, ids });
    const { seconds } = await worker.ask("run", { case: id, times: 1 });
    const units = await unitsOf(yardstick, threads, seconds[0]!);
    points.push({ id, threads, units, ours: [] as number[], control: [] as number[] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { id, threads, units, ours, control } of points) {
      ours.push(...(await worker.ask("run", { case: id, times: 1 })).seconds);
      control.push((await yardstick.control(threads, units)).gmacs * 1e9);
    }
  }
  const entries: Entry[] = [];
  for (const { id, threads, ours, control } of points) {
    const vectors = (await worker.ask("vectors", { case: id })).vectors.map(decodeVector);
    await worker.ask("release", { case: id });
    const name = threadCount(threads);
    entries.push(makeEntry(name, "", perRound(ours), vectors));
    entries.push(makeEntry(`the control loop's rate, ${name}`, "", perRound(control)));
    if (entries.at(-2)!.sha256 !== entries[0]!.sha256) {
      throw new Error(`${name} give other vectors than one`);
    }
  }
  const [one, ...more] = points;
  const figures = more.map((point) => {
    const bar = point.threads === ASKED_THREADS ? bars.scaling : undefined;
    return scalingFigure(one!, point, bar ?? null);
  });
  return { entries, figures };
};

const perRound = (samples: readonly number[]) => samples.map((sample) => [sample]);
