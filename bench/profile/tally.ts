/** From the times of single runs to a table of operations. */
import type { Plan } from "../../src/arch/plan.ts";
import type { RunProfile } from "../../src/native/profile.ts";
import { type Cost, costOf, labelOf } from "./operations.ts";

/** All operations of one label. Times and counts are of one call of `embed`. */
export interface Row {
  readonly label: string;
  /** Executions; of one that threads share, one. */
  readonly count: number;
  readonly milliseconds: number;
  /** Of the time of all threads. */
  readonly share: number;
  /** Multiply-adds a second of all threads, in 10^9; undefined where there are none. */
  readonly gmacs: number | undefined;
  /** Of what the threads' instructions of that kind can do. */
  readonly peakShare: number | undefined;
  /** Packed weights, each read once a batch: 10^9 bytes a second. */
  readonly gigabytes: number | undefined;
}

/** Multiply-adds a second of one thread, in 10^9. */
export interface ThreadPeaks {
  readonly int8: number;
  readonly float: number;
}

export interface Tally {
  /** By share, the largest first. */
  readonly rows: readonly Row[];
  /** Shares of the time of all threads; with the rows' they add up to 1. */
  readonly kernels: number;
  /** Behind an operation, until the other threads had done it too. */
  readonly waiting: number;
  /** Before the first operation and after the last: waking up, and others' longer work. */
  readonly idle: number;
  /** Threads that took part, on average. */
  readonly threads: number;
  /** Native batches. */
  readonly batches: number;
  /** Time on the native side. */
  readonly nativeMilliseconds: number;
  /** Of the whole native time, not of the products' alone. */
  readonly int8PeakShare: number;
}

/** What operations of one label have added up to: nanoseconds of all threads, and of one. */
interface Sum extends Record<keyof Cost, number> {
  count: number;
  threadTime: number;
  time: number;
}

/** Adds up the runs of so many calls. */
export function tally(
  plan: Plan,
  runs: readonly RunProfile[],
  calls: number,
  peaks: ThreadPeaks,
): Tally {
  const labels = plan.operations.map((operation) => labelOf(plan, operation));
  const sums = new Map<string, Sum>();
  let available = 0;
  let worked = 0;
  let waited = 0;
  let native = 0;
  for (const run of runs) {
    const { threads, work, wait } = addThreads(run, plan.operations.length);
    available += threads * run.runNanoseconds;
    native += run.runNanoseconds;
    plan.operations.forEach((operation, i) => {
      const sum = sums.get(labels[i]!) ?? emptySum();
      sums.set(labels[i]!, sum);
      sum.count += 1;
      sum.threadTime += work[i]!;
      sum.time += work[i]! / threads;
      const cost = costOf(plan, operation, run.lengths);
      for (const key of ["int8", "float", "weightBytes"] as const) sum[key] += cost[key];
      worked += work[i]!;
      waited += wait[i]!;
    });
  }
  const rows = Array.from(sums, ([label, sum]) => makeRow(label, sum, available, calls, peaks));
  const int8 = sums.values().reduce((total, sum) => total + sum.int8, 0);
  return {
    rows: rows.sort((a, b) => b.share - a.share),
    kernels: worked / available,
    waiting: waited / available,
    idle: 1 - (worked + waited) / available,
    threads: available / native,
    batches: runs.length / calls,
    nativeMilliseconds: native / calls / 1e6,
    int8PeakShare: int8 / available / peaks.int8,
  };
}

function emptySum(): Sum {
  return { count: 0, threadTime: 0, time: 0, int8: 0, float: 0, weightBytes: 0 };
}

function makeRow(
  label: string,
  sum: Sum,
  available: number,
  calls: number,
  peaks: ThreadPeaks,
): Row {
  const macs = sum.int8 + sum.float;
  const atPeak = sum.int8 / peaks.int8 + sum.float / peaks.float;
  return {
    label,
    count: sum.count / calls,
    milliseconds: sum.time / calls / 1e6,
    share: sum.threadTime / available,
    gmacs: macs === 0 ? undefined : macs / sum.time,
    peakShare: macs === 0 ? undefined : atPeak / sum.threadTime,
    gigabytes: sum.weightBytes === 0 ? undefined : sum.weightBytes / sum.time,
  };
}

/** Nanoseconds of all threads in each operation and behind it, and how many threads there were. */
function addThreads(run: RunProfile, operationCount: number) {
  const work = new Float64Array(operationCount);
  const wait = new Float64Array(operationCount);
  const stride = operationCount * 2;
  let threads = 0;
  for (let at = 0; at < run.cells.length; at += stride) {
    const cells = run.cells.subarray(at, at + stride);
    if (cells.every((nanoseconds) => nanoseconds === 0)) continue;
    threads += 1;
    for (let i = 0; i < operationCount; i++) {
      work[i]! += cells[2 * i]!;
      wait[i]! += cells[2 * i + 1]!;
    }
  }
  return { threads, work, wait };
}
