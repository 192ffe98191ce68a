/** Embeds with the clock on, and asks the yardstick in between. */
import type { Embedder, EmbedResult } from "../../src/index.ts";
import { profileRuns, type RunProfile } from "../../src/native/profile.ts";
import { warmUp } from "../warm-up.ts";
import type { Yardstick } from "../yardstick.ts";

export interface Plot {
  readonly embedder: Embedder;
  readonly texts: readonly string[];
  readonly yardstick: Yardstick;
  readonly variant: string;
  readonly seconds: number;
}

export interface Measured {
  readonly runs: readonly RunProfile[];
  /** Milliseconds of each call of `embed`, in order. */
  readonly calls: readonly number[];
  /** Of all threads together, 10^9 multiply-adds a second: one sample a round. */
  readonly int8Peaks: readonly number[];
  readonly floatPeaks: readonly number[];
  /** Of one thread: as many together that reach less than as many times that share their cores. */
  readonly lonePeaks: readonly number[];
  readonly results: readonly EmbedResult[];
}

/** Time of ours between two looks at the peak: what else the machine does changes slowly. */
const ROUND_MS = 100;
const PEAK_MS = 10;

/** Calls for so many seconds, at least one, after as many for at most as long. */
export async function measure(plot: Plot): Promise<Measured> {
  const { embedder, texts, yardstick, variant, seconds } = plot;
  const results = await embedder.embed(texts);
  await warmUp(() => embedder.embed(texts), seconds);
  const runs: RunProfile[] = [];
  const calls: number[] = [];
  const int8Peaks: number[] = [];
  const floatPeaks: number[] = [];
  const lonePeaks: number[] = [];
  const peak = async (kind: "int8" | "float", threads = embedder.threads) => {
    const duration = { threads, milliseconds: PEAK_MS };
    return (await yardstick.peak(variant, kind, duration)).gmacs;
  };
  for (const kind of ["int8", "float"] as const) await peak(kind);
  const end = performance.now() + seconds * 1000;
  profileRuns((run) => runs.push(run));
  try {
    do {
      const roundEnd = performance.now() + ROUND_MS;
      do {
        const start = performance.now();
        await embedder.embed(texts);
        calls.push(performance.now() - start);
      } while (performance.now() < Math.min(roundEnd, end));
      int8Peaks.push(await peak("int8"));
      floatPeaks.push(await peak("float"));
      lonePeaks.push(await peak("int8", 1));
    } while (performance.now() < end);
  } finally {
    profileRuns(undefined);
  }
  return { runs, calls, int8Peaks, floatPeaks, lonePeaks, results };
}
