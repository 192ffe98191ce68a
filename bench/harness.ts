/** What all benches share: what a case is, how it is measured and how it is told. */
import { measure } from "mitata";
import { quantile } from "./compare/statistics.ts";
import { warmUp } from "./warm-up.ts";

export interface Setting {
  /** `tiny` is for `bun run check`: a few seconds for everything, and figures that mean nothing. */
  readonly size: "full" | "tiny";
  readonly seed: number;
}

interface Work {
  readonly name: string;
  /** Of one run. */
  readonly amount?: { readonly count: number; readonly unit: "tokens" | "bytes" | "MAC" };
  /** Digest of what a run computes, so that two can be seen to have computed the same. */
  readonly result?: string;
}

/** To be measured; or, where only the bench itself can, measured already. */
export type Case = Work & ({ readonly run: () => unknown } | { readonly nanoseconds: number[] });

export interface Outcome extends Work {
  readonly bench: string;
  readonly samples: number;
  /** Nanoseconds of one run. */
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Of `amount`, by the middle. */
  readonly perSecond: number | undefined;
}

/** Cases one after another: what they need is open while they run, and no longer. */
export type Bench = (setting: Setting) => AsyncIterable<Case>;

const EFFORT = {
  full: { min_cpu_time: 600e6, min_samples: 5 },
  tiny: { min_cpu_time: 2e6, min_samples: 2 },
} as const;
const WARM_UP_SECONDS = { full: 1, tiny: 0 };

export async function* runBench(
  name: string,
  bench: Bench,
  setting: Setting,
): AsyncGenerator<Outcome> {
  for await (const work of bench(setting)) {
    const samples = "run" in work ? await sample(work.run, setting) : work.nanoseconds;
    const p50 = quantile(samples, 0.5);
    yield {
      bench: name,
      name: work.name,
      ...(work.amount === undefined ? {} : { amount: work.amount }),
      ...(work.result === undefined ? {} : { result: work.result }),
      samples: samples.length,
      min: quantile(samples, 0),
      p50,
      p99: quantile(samples, 0.99),
      max: quantile(samples, 1),
      perSecond: work.amount && (work.amount.count / p50) * 1e9,
    };
  }
}

async function sample(run: () => unknown, { size }: Setting): Promise<number[]> {
  await warmUp(run, WARM_UP_SECONDS[size]);
  // Collecting garbage before every case takes longer than most cases.
  const { samples } = await measure(run, { ...EFFORT[size], gc: false });
  return samples;
}

export function digest(arrays: readonly (Float32Array | Int32Array)[]): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const array of arrays) hasher.update(array);
  return hasher.digest("hex").slice(0, 16);
}

export const HEAD =
  "".padEnd(58) + ["p50", "p99", "min", "max", "rate"].map((title) => title.padStart(12)).join("");

export function formatOutcome(outcome: Outcome): string {
  const { name, p50, p99, min, max, perSecond, amount, result = "" } = outcome;
  const times = [p50, p99, min, max].map((time) => formatTime(time).padStart(12)).join("");
  const rate = perSecond === undefined ? "" : formatRate(perSecond, amount!.unit);
  return `${name.padEnd(58)}${times}${rate.padStart(16)}  ${result}`.trimEnd();
}

function formatTime(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${nanoseconds.toFixed(1)} ns`;
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(2)} µs`;
  return `${(nanoseconds / 1e6).toFixed(2)} ms`;
}

function formatRate(perSecond: number, unit: string): string {
  if (perSecond >= 1e9) return `${(perSecond / 1e9).toFixed(1)} G${unit}/s`;
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} M${unit}/s`;
  return `${perSecond.toFixed(0)} ${unit}/s`;
}
