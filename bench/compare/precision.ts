/** How exact the two precisions are, and what the higher one costs. */
import type { Precision } from "../../src/index.ts";
import { hasShared } from "../../test/reference/golden.ts";
import { measureAccuracy, readReferences, sampleOf } from "./check.ts";
import type { Measure } from "./measure.ts";
import { decodeVector } from "./protocol.ts";
import { type Entry, makeEntry, ownFigure } from "./results.ts";
import { median } from "./statistics.ts";

const PRECISIONS = ["default", "high"] as const satisfies readonly Precision[];

/** In each round one call of each, in turn. */
export const measurePrecision: Measure = async (work, model, [player], conditions) => {
  const { worker } = player!;
  const { threads, rounds, isTiny } = conditions;
  const { texts, ids, bars } = work;
  const golden = await readReferences(sampleOf(work.model, isTiny));
  // Asked of all references: a sample of them may be off more, or less.
  const { rms, high } = isTiny || hasShared ? bars : {};
  const plays = [];
  for (const precision of PRECISIONS) {
    const id = `${work.id}-${precision}`;
    await worker.ask("load", { model, threads, precision });
    const accuracy = await measureAccuracy(worker, golden, { model, threads, precision });
    await worker.ask("prepare", { case: id, model, threads, precision, texts, ids });
    plays.push({ id, precision, accuracy, seconds: [] as number[] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { id, seconds } of plays) {
      seconds.push(...(await worker.ask("run", { case: id, times: 1 })).seconds);
    }
  }
  const entries: Entry[] = [];
  for (const { id, precision, accuracy, seconds } of plays) {
    const vectors = (await worker.ask("vectors", { case: id })).vectors.map(decodeVector);
    await worker.ask("release", { case: id });
    const samples = seconds.map((each) => [each]);
    entries.push({ ...makeEntry(precision, "", samples, vectors), accuracy });
  }
  const [usual, exact] = plays;
  const cost = exact!.seconds.map((seconds, i) => seconds / usual!.seconds[i]!);
  const rate = ({ seconds }: { readonly seconds: readonly number[] }) =>
    ({ value: work.tokens / median(seconds), unit: "tokens/s" }) as const;
  const what = `rms error of ${golden.length} texts`;
  return {
    entries,
    figures: [
      ownFigure(what, "error", [usual!.accuracy.rms], rms ?? null),
      ownFigure(`${what}, precision "high"`, "error", [exact!.accuracy.rms], high ?? null),
      {
        ...ownFigure('cost of precision "high"', "times", cost, bars.cost ?? null),
        ours: rate(exact!),
        beside: rate(usual!),
      },
    ],
  };
};
