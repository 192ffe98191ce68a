/** The JSON that a comparison writes. Seconds everywhere; memory in bytes. */
import type { Case, Kind } from "./cases.ts";
import type { Accuracy } from "./check.ts";
import type { Machine } from "./machine.ts";
import type { Ready } from "./protocol.ts";
import { median, quantile, type Spread, spreadOf } from "./statistics.ts";

export interface Comparison {
  readonly machine: Machine;
  readonly size: string;
  readonly seed: number;
  readonly rounds: number;
  readonly participants: readonly Participant[];
  readonly results: readonly CaseResult[];
}

export interface Participant extends Omit<Ready, "loadings"> {
  /** How it was made, where we made it. */
  readonly recipe: string;
  /** Against float64 references, by model. */
  readonly accuracy: Readonly<Record<string, Accuracy>>;
}

export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly kind: Kind;
  readonly threads: number;
  readonly texts: number;
  readonly tokens: number;
  /** Of the token ids of all texts. */
  readonly idsSha256: string;
  readonly entries: readonly Entry[];
  readonly comparisons: readonly Ratio[];
  readonly evenness?: Evenness;
}

/** What one participant measured in one case. */
export interface Entry {
  readonly name: string;
  readonly settings: string;
  /** Each sample of each round. */
  readonly samples: readonly (readonly number[])[];
  readonly spread: Spread;
  readonly p99: number;
  /** Of the vectors. */
  readonly sha256: string;
  /** Lowest cosine of a text with ours. */
  readonly agreement: number;
  /** Only for `open`: from starting the process to the first vector. */
  readonly wholeProcess?: Spread;
}

/** A round: how many times as long as ours the peer takes; of memory, ours as a share of its. */
export interface Ratio {
  readonly peer: string;
  readonly bar: number | undefined;
  readonly perRound: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** How much slower than the middle the slow calls are, next to a loop that only computes. */
export interface Evenness {
  readonly p99OverP50: number;
  readonly control: number;
  readonly ratio: number;
}

export function makeEntry(
  name: string,
  settings: string,
  samples: readonly (readonly number[])[],
  vectors: readonly Float32Array[],
  agreement: number,
): Entry {
  const all = samples.flat();
  return {
    name,
    settings,
    samples,
    spread: spreadOf(all),
    p99: quantile(all, 0.99),
    sha256: hash(vectors),
    agreement,
  };
}

/** Ours first, then the peers. */
export function makeRatios(entries: readonly Entry[], { kind, bars }: Case): Ratio[] {
  const [ours, ...peers] = entries;
  return peers.map(({ name, samples }) => {
    const perRound = samples.map((round, i) => {
      const [its, our] = [median(round), median(ours!.samples[i]!)];
      return kind === "memory" ? our / its : its / our;
    });
    const { median: middle, min, max } = spreadOf(perRound);
    return { peer: name, bar: bars[name], perRound, median: middle, min, max };
  });
}

export function makeEvenness(ours: readonly number[], control: readonly number[]): Evenness {
  const unevenness = (samples: readonly number[]) => quantile(samples, 0.99) / median(samples);
  const [p99OverP50, ofControl] = [unevenness(ours), unevenness(control)];
  return { p99OverP50, control: ofControl, ratio: p99OverP50 / ofControl };
}

/** SHA-256 of rows of numbers, as their bytes lie in memory. */
export function hash(rows: Iterable<Float32Array | Int32Array>): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const row of rows) hasher.update(row);
  return hasher.digest("hex");
}
