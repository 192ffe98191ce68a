/** How much of what the CPU's own instruction can do at most a batch makes use of. */
import { buildModel } from "../../src/arch/index.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { costOf } from "../profile/operations.ts";
import type { Measure } from "./measure.ts";
import { decodeVector } from "./protocol.ts";
import { makeEntry, peakFigure } from "./results.ts";

/** The peak is measured for as long as a call takes, within these. */
const PEAK_MS_MIN = 10;
const PEAK_MS_MAX = 500;

/** Multiply-adds of bytes that one forward pass of texts of these lengths needs. */
async function multiplyAddsOf(path: string, lengths: readonly number[]): Promise<number> {
  const { plan } = buildModel(await readGguf(path));
  return plan.operations.reduce((sum, each) => sum + costOf(plan, each, lengths).int8, 0);
}

/** In each round the peak, a call, and the peak again. */
export const measurePeakShare: Measure = async (work, model, [player], conditions) => {
  const { worker } = player!;
  const { threads, rounds, yardstick, variant } = conditions;
  const { id, texts, ids, bars } = work;
  await worker.ask("prepare", { case: id, model, threads, texts, ids });
  const call = async () => (await worker.ask("run", { case: id, times: 1 })).seconds[0]!;
  const usual = Math.round((await call()) * 1000);
  const milliseconds = Math.min(PEAK_MS_MAX, Math.max(PEAK_MS_MIN, usual));
  const measurePeak = async () =>
    (await yardstick.peak(variant, "int8", { threads, milliseconds })).gmacs * 1e9;
  const seconds: number[] = [];
  const peak: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = await measurePeak();
    seconds.push(await call());
    peak.push((before + (await measurePeak())) / 2);
  }
  const vectors = (await worker.ask("vectors", { case: id })).vectors.map(decodeVector);
  await worker.ask("release", { case: id });
  const multiplyAdds = await multiplyAddsOf(
    model,
    ids.map((text) => text.length),
  );
  const rates = seconds.map((each) => multiplyAdds / each);
  return {
    entries: [
      makeEntry(worker.ready.name, "", seconds.map(alone), vectors),
      makeEntry("the peak", "", peak.map(alone)),
    ],
    figures: [peakFigure(variant, rates, peak, bars.peak ?? null)],
  };
};

const alone = (sample: number) => [sample];
