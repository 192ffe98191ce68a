/** The profile for a person. */
import type { SystemInfo } from "../../src/index.ts";
import { median } from "../compare/statistics.ts";
import type { Measured } from "./measure.ts";
import type { ProfileOptions } from "./options.ts";
import type { PerfReport } from "./perf.ts";
import type { Row, Tally } from "./tally.ts";

export interface Profile {
  readonly system: SystemInfo;
  readonly options: ProfileOptions;
  readonly model: string;
  readonly threads: number;
  /** Tokens of a call. */
  readonly tokens: number;
  /** First 16 hexadecimal digits of the SHA-256 of the vectors. */
  readonly result: string;
  readonly measured: Omit<Measured, "results" | "runs">;
  readonly tally: Tally;
  /** Why there is none, if it was asked for. */
  readonly perf: PerfReport | string | undefined;
}

const COLUMNS: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ["count", ({ count }) => count.toFixed(0)],
  ["ms", ({ milliseconds }) => milliseconds.toFixed(3)],
  ["share", ({ share }) => percent(share)],
  ["GMAC/s", ({ gmacs }) => optional(gmacs, (value) => value.toFixed(1))],
  ["of peak", ({ peakShare }) => optional(peakShare, percent)],
  ["GB/s", ({ gigabytes }) => optional(gigabytes, (value) => value.toFixed(1))],
];
const WIDTH = 10;
/** Cores that compute together may be a little slower than one alone. */
const QUIET = 0.85;

export function formatProfile(profile: Profile): string {
  const { system, options, tally, measured, threads } = profile;
  const { calls } = measured;
  const call = calls.reduce((total, time) => total + time, 0) / calls.length;
  const outside = call - tally.nativeMilliseconds;
  const speed = (profile.tokens / call) * 1000;
  const labelWidth = Math.max(...tally.rows.map(({ label }) => label.length)) + 2;
  const rest = (label: string, share: number) =>
    label.padEnd(labelWidth + 2 * WIDTH) + percent(share).padStart(WIDTH);
  return [
    `${system.cpu}, ${system.native?.variant}, ${threads} threads, Bun ${system.bun}`,
    `${profile.model}: ${options.texts} texts, ${profile.tokens} tokens, seed ${options.seed}, ` +
      `parallelism ${options.parallelism}, result ${profile.result}`,
    "",
    "".padEnd(labelWidth) + COLUMNS.map(([title]) => title.padStart(WIDTH)).join(""),
    ...tally.rows.map(
      (row) =>
        row.label.padEnd(labelWidth) +
        COLUMNS.map(([, cell]) => cell(row).padStart(WIDTH)).join(""),
    ),
    rest("waiting for other threads", tally.waiting),
    rest("before the first and after the last", tally.idle),
    "",
    `In kernels: ${percent(tally.kernels)} of the native time of ${tally.threads.toFixed(2)} ` +
      `threads, in ${tally.batches} batches a call.`,
    `int8 products: ${percent(tally.int8PeakShare)} of the int8 peak over all that time; ` +
      `the peak is ${spread(measured.int8Peaks)} GMAC/s, of float ${spread(measured.floatPeaks)}.`,
    `A call: ${call.toFixed(3)} ms on average of ${calls.length} ` +
      `(median ${median(calls).toFixed(3)}), ${speed.toFixed(0)} tokens/s.`,
    `Of that native ${tally.nativeMilliseconds.toFixed(3)} ms, ` +
      `tokenizing, dispatch and JavaScript ${outside.toFixed(3)} ms (${percent(outside / call)}).`,
    ...formatLoad(profile),
    ...formatPerf(profile.perf),
  ].join("\n");
}

/** Others' work makes every figure but the shares of operations a lie. */
function formatLoad({ measured, threads }: Profile): string[] {
  const own = median(measured.int8Peaks) / threads / median(measured.lonePeaks);
  if (own >= QUIET) return [];
  return [`NOT QUIET: of ${threads} cores, other programs left ${percent(own)} to the peak.`];
}

function formatPerf(perf: Profile["perf"]): string[] {
  if (perf === undefined) return [];
  if (typeof perf === "string") return ["", `No counters and no flame graph: ${perf}.`];
  const { counters, sampled, flameGraph, foldedStacks } = perf;
  const entries = Object.entries(counters);
  const missing = entries.filter(([, value]) => value === undefined).map(([name]) => name);
  const counted = entries.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name.padEnd(24)}${value.toLocaleString("en").padStart(20)}`],
  );
  const { cycles, instructions } = counters;
  if (cycles !== undefined && instructions !== undefined) {
    const value = (instructions / cycles).toFixed(2);
    counted.push(`  ${"instructions a cycle".padEnd(24)}${value.padStart(20)}`);
  }
  return [
    "",
    `Counted by perf in ${profileSeconds(counters)} of CPU time:`,
    ...counted,
    ...(missing.length === 0
      ? []
      : [`Not counted on this machine (virtual ones often hide it): ${missing.join(", ")}.`]),
    `Flame graph of ${sampled}: ${flameGraph}, folded stacks: ${foldedStacks}`,
  ];
}

function profileSeconds(counters: PerfReport["counters"]): string {
  return `${((counters["task-clock"] ?? 0) / 1000).toFixed(2)} s`;
}

function spread(samples: readonly number[]): string {
  const [low, high] = [Math.min(...samples), Math.max(...samples)];
  return `${median(samples).toFixed(0)} (${low.toFixed(0)}…${high.toFixed(0)})`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function optional(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? "" : format(value);
}
