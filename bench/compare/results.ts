/** What is measured of a case. Seconds everywhere; memory in bytes. */
import type { Case, Kind } from "./cases.ts";
import type { Accuracy } from "./check.ts";
import { atLeast, atMost, type Bar, type Figure, type Quantity, type Unit } from "./figures.ts";
import { median, quantile, type Spread, spreadOf } from "./statistics.ts";

export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly kind: Kind;
  readonly threads: number;
  readonly texts: number;
  readonly tokens: number;
  /** UTF-8. */
  readonly bytes: number;
  /** Of the token ids of all texts. */
  readonly idsSha256: string;
  /** Processes that wanted to run, over the last minute, when the case began. */
  readonly load: number;
  readonly entries: readonly Entry[];
  readonly figures: readonly Figure[];
}

/** What one participant, or a loop that only computes, measured in one case. */
export interface Entry {
  readonly name: string;
  /** Those that were fastest, and so were used; empty where there are none to choose. */
  readonly settings: string;
  /** Each sample of each round. */
  readonly samples: readonly (readonly number[])[];
  readonly spread: Spread;
  readonly p99: number;
  /** Of the vectors, or of the ids. */
  readonly sha256?: string;
  /** Lowest cosine of a text with ours; of ids 1, since they are the same. */
  readonly agreement?: number;
  /** Only for `open`: from starting the process to the first vector. */
  readonly wholeProcess?: Spread;
  /** Only for `precision`: beside float64 references. */
  readonly accuracy?: Accuracy;
}

export function makeEntry(
  name: string,
  settings: string,
  samples: readonly (readonly number[])[],
  results?: Iterable<Float32Array | Int32Array>,
): Entry {
  const all = samples.flat();
  const measured = { name, settings, samples, spread: spreadOf(all), p99: quantile(all, 0.99) };
  return results === undefined ? measured : { ...measured, sha256: hash(results) };
}

/** Of ours, the first of the entries, to the peers that the case names. */
export function contestFigures(entries: readonly Entry[], work: Case): Figure[] {
  const [ours, ...peers] = entries;
  return peers.map((peer) => {
    const asked = work.peers[peer.name] ?? null;
    const isMemory = work.kind === "memory";
    const perRound = peer.samples.map((round, i) => {
      const [its, our] = [median(round), median(ours!.samples[i]!)];
      return isMemory ? our / its : its / our;
    });
    return {
      what: `${WHAT[work.kind] ?? "speed"} against ${peer.name}`,
      unit: "times",
      spread: spreadOf(perRound),
      bar: asked === null ? null : isMemory ? atMost(asked) : atLeast(asked),
      ours: reached(ours!, work),
      beside: reached(peer, work),
    };
  });
}

const WHAT: Partial<Record<Kind, string>> = { memory: "peak memory", single: "p50" };

/** What a participant reached, in the unit of the case. */
export function reached(entry: Entry, { kind, tokens, texts }: Case): Quantity {
  const value = entry.spread.median;
  if (kind === "memory") return { value, unit: "bytes" };
  if (kind === "open" || kind === "single") return { value, unit: "seconds" };
  if (kind === "tokenize")
    return { value: byteLength(texts) / texts.length / value, unit: "bytes/s" };
  return { value: tokens / value, unit: "tokens/s" };
}

/** Ours as it is. */
export function ownFigure(
  what: string,
  unit: Unit,
  samples: readonly number[],
  bar: Bar | null,
): Figure {
  return { what, unit, spread: spreadOf(samples), bar };
}

/** How much longer than the middle the slow calls take, next to a loop that only computes. */
export function evennessFigure(
  ours: readonly number[],
  control: readonly number[],
  bar: Bar | null,
): Figure {
  const unevenness = (samples: readonly number[]) => quantile(samples, 0.99) / median(samples);
  const [our, its] = [unevenness(ours), unevenness(control)];
  return {
    what: "p99 / p50 against the control loop's",
    unit: "times",
    spread: spreadOf([our / its]),
    bar,
    ours: { value: our, unit: "times" },
    beside: { value: its, unit: "times" },
  };
}

/** So many threads, and in the same rounds one: seconds of ours, rate of the control loop. */
export interface ScalingPoint {
  readonly threads: number;
  readonly ours: readonly number[];
  readonly control: readonly number[];
}

export function scalingFigure(one: ScalingPoint, more: ScalingPoint, bar: Bar | null): Figure {
  const ours = more.ours.map((seconds, i) => one.ours[i]! / seconds);
  const control = more.control.map((rate, i) => rate / one.control[i]!);
  return {
    what: `1 → ${more.threads} threads against the control loop's`,
    unit: "times",
    spread: spreadOf(ours.map((speedup, i) => speedup / control[i]!)),
    bar,
    ours: { value: median(ours), unit: "times" },
    beside: { value: median(control), unit: "times" },
  };
}

/** Rates of ours and of the variant's own instruction. */
export function peakFigure(
  variant: string,
  ours: readonly number[],
  peak: readonly number[],
  bar: Bar | null,
): Figure {
  return {
    what: `share of the int8 peak of ${variant}`,
    unit: "share",
    spread: spreadOf(ours.map((rate, i) => rate / peak[i]!)),
    bar,
    ours: { value: median(ours), unit: "macs/s" },
    beside: { value: median(peak), unit: "macs/s" },
  };
}

export function byteLength(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** SHA-256 of rows of numbers, as their bytes lie in memory. */
export function hash(rows: Iterable<Float32Array | Int32Array>): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const row of rows) hasher.update(row);
  return hasher.digest("hex");
}
