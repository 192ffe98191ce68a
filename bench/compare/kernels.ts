/** How much of the threads' time a batch spends computing. */
import { buildModel } from "../../src/arch/index.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { open } from "../../src/index.ts";
import { measure } from "../profile/measure.ts";
import { tally } from "../profile/tally.ts";
import type { Measure } from "./measure.ts";
import { makeEntry, ownFigure } from "./results.ts";

/** In this process, with the clock of `bun run profile`, for some time a round. */
export const measureKernels: Measure = async (work, model, _players, conditions) => {
  const { threads, rounds, variant, yardstick, profileMs } = conditions;
  const { texts, bars } = work;
  const { plan } = buildModel(await readGguf(model));
  await using embedder = await open(model, { threads });
  const plot = { embedder, texts, yardstick, variant, seconds: profileMs / 1000 };
  const vectors = (await embedder.embed(texts)).map(({ embedding }) => embedding);
  const calls: number[][] = [];
  const shares: number[] = [];
  const nativeShares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const measured = await measure(plot);
    const count = measured.calls.length;
    const seconds = measured.calls.map((milliseconds) => milliseconds / 1000);
    calls.push(seconds);
    const found = tally(plan, measured.runs, count, { int8: 1, float: 1 });
    nativeShares.push(found.kernels);
    const computing = (found.kernels * found.threads * found.nativeMilliseconds) / 1000;
    shares.push((computing * count) / seconds.reduce((sum, each) => sum + each, 0) / threads);
  }
  return {
    entries: [makeEntry("ggufembed", "", calls, vectors)],
    figures: [
      ownFigure("time in kernels, of the whole call", "share", shares, null),
      ownFigure("time in kernels, of the batch", "share", nativeShares, bars.kernels ?? null),
    ],
  };
};
