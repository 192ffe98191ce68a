import { expectedDigests, type Plan, runCalls, soakTexts, type Tally } from "./calls.ts";
import type { Size, Soak } from "./figure.ts";
import { soakModel } from "./model.ts";

const WORKERS = 2;

/** Calls of all sorts from 32 tasks here and from two Workers, each result held to its bits. */
export async function mixed(size: Size): Promise<Soak> {
  const path = await soakModel(size);
  const texts = soakTexts();
  const expected = await expectedDigests(path, texts);
  const calls = size === "full" ? 10_000 : 200;
  const plan = { path, texts, expected, tasks: 16, calls: calls / 5 };
  const tallies = await Promise.all([
    runCalls({ ...plan, tasks: 32, calls: calls - WORKERS * plan.calls, seed: 1 }),
    ...Array.from({ length: WORKERS }, (_, i) => inWorker({ ...plan, seed: i + 2 })),
  ]);
  const sum = (count: (tally: Tally) => number) =>
    tallies.reduce((total, tally) => total + count(tally), 0);
  const errors = tallies.flatMap((tally) => tally.errors);
  for (const error of new Set(errors)) console.error(error);
  return {
    title: `${calls.toLocaleString("en-US")} calls of all sorts from 32 tasks and two Workers`,
    figures: [
      { what: "calls", value: sum((tally) => tally.calls), unit: "" },
      { what: "vectors compared, bit by bit", value: sum((tally) => tally.texts), unit: "" },
      { what: "of them wrong", value: sum((tally) => tally.wrong), unit: "", max: 0 },
      { what: "unexpected errors", value: errors.length, unit: "", max: 0 },
      { what: "calls cancelled", value: sum((tally) => tally.cancelled), unit: "" },
      { what: "models opened and closed", value: sum((tally) => tally.opened), unit: "" },
      { what: "texts refused as too long", value: sum((tally) => tally.refused), unit: "" },
    ],
  };
}

async function inWorker(plan: Plan): Promise<Tally> {
  const worker = new Worker(new URL("worker.ts", import.meta.url).href);
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      worker.postMessage(plan);
    });
  } finally {
    worker.terminate();
  }
}
