/** What was measured, as means over tasks with their confidence intervals. */
import { quantile } from "../compare/statistics.ts";
import type { EvalSet } from "./data.ts";
import type { Setting, SettingResult, TaskResult } from "./measure.ts";
import { RankCorrelation } from "./metrics.ts";
import { makeResamples, type Resamples } from "./resample.ts";
import type { Direction } from "./tasks.ts";

export const METRICS = ["ndcg", "spearman"] as const;
export type Metric = (typeof METRICS)[number];

/** English alone; the mean of each language in itself; the mean of English with each other. */
export const GROUPS = ["english", "all", "across"] as const;
export type Group = (typeof GROUPS)[number];

/** A figure, and where 95 % of the resamples have it. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A figure, and how far it is above what it is compared with, resample by resample. */
export interface Compared extends Estimate {
  readonly difference: Estimate;
}

/** Without the groups for which no language was asked. */
export type Groups<T> = Readonly<Partial<Record<Group, Readonly<Record<Metric, T>>>>>;

export interface SettingFigures extends Setting {
  readonly groups: Groups<Compared>;
  /** By direction: `en-en`, `de-en` and so on. */
  readonly tasks: Readonly<Record<Metric, Readonly<Record<string, number>>>>;
}

/** A figure of the set as it is, and of each resample. */
interface Sampled {
  readonly value: number;
  readonly samples: readonly number[];
}

/** Share of the resamples that lie within an interval. */
const CONFIDENCE = 0.95;
/** Decimals that are kept: what two C libraries may differ by lies beyond them. */
const DECIMALS = 4;

const IS_IN: Readonly<Record<Group, (direction: Direction) => boolean>> = {
  english: ({ from, to }) => from === "en" && to === "en",
  all: ({ from, to }) => from === to,
  across: ({ from, to }) => from !== to,
};

/** The resamples of queries and pairs, which all models, settings and languages share. */
export class Bootstrap {
  readonly #queries: Resamples;
  readonly #pairs: Resamples;

  constructor(set: EvalSet, count: number, seed: number) {
    const languages = (texts: object) => Object.keys(texts).join();
    const queries = set.queries.map(({ text }) => languages(text));
    const pairs = set.pairs.map(({ first }) => languages(first));
    this.#queries = makeResamples(queries, count, seed);
    this.#pairs = makeResamples(pairs, count, seed);
  }

  sample(tasks: readonly TaskResult[]): Groups<Sampled> {
    const measures = tasks.map((result) => ({ task: result.task, metrics: measuresOf(result) }));
    const found: Partial<Record<Group, Record<Metric, Sampled>>> = {};
    for (const group of GROUPS) {
      const own = measures.filter(({ task }) => IS_IN[group](task));
      if (own.length === 0) continue;
      const sampled = (metric: Metric, resamples: Resamples): Sampled => ({
        value: mean(own.map(({ metrics }) => metrics[metric]())),
        samples: resamples.map((counts) => mean(own.map(({ metrics }) => metrics[metric](counts)))),
      });
      found[group] = {
        ndcg: sampled("ndcg", this.#queries),
        spearman: sampled("spearman", this.#pairs),
      };
    }
    return found;
  }
}

/** @param base - what it is compared with: of the same resamples */
export function figuresOf(
  { dimensions, encoding, tasks }: SettingResult,
  sampled: Groups<Sampled>,
  base: Groups<Sampled>,
): SettingFigures {
  const groups: Partial<Record<Group, Record<Metric, Compared>>> = {};
  for (const group of GROUPS) {
    const [own, its] = [sampled[group], base[group]];
    if (own === undefined || its === undefined) continue;
    groups[group] = {
      ndcg: compare(own.ndcg, its.ndcg),
      spearman: compare(own.spearman, its.spearman),
    };
  }
  return {
    dimensions,
    encoding,
    groups,
    tasks: { ndcg: byDirection(tasks, "ndcg"), spearman: byDirection(tasks, "spearman") },
  };
}

function byDirection(tasks: readonly TaskResult[], metric: Metric): Record<string, number> {
  return Object.fromEntries(
    tasks.map((result) => [nameOf(result.task), rounded(measuresOf(result)[metric]())]),
  );
}

/** The key of a direction among the figures of tasks. */
export function nameOf({ from, to }: Direction): string {
  return `${from}-${to}`;
}

function compare(own: Sampled, base: Sampled): Compared {
  const difference = {
    value: own.value - base.value,
    samples: own.samples.map((sample, at) => sample - base.samples[at]!),
  };
  return { ...estimate(own), difference: estimate(difference) };
}

/** The interval between two quantiles of the resamples: Efron's percentile bootstrap. */
function estimate({ value, samples }: Sampled): Estimate {
  const tail = (1 - CONFIDENCE) / 2;
  const low = rounded(quantile(samples, tail));
  return { value: rounded(value), low, high: rounded(quantile(samples, 1 - tail)) };
}

/** Each metric of one task, of the set as it is or as often as a resample has each item. */
type Measures = Readonly<Record<Metric, (counts?: ArrayLike<number>) => number>>;

function measuresOf({ task, ndcg, cosines }: TaskResult): Measures {
  const { queries } = task.retrieval;
  const { pairs, grades } = task.similarity;
  const correlation = new RankCorrelation(cosines, grades);
  return {
    ndcg: (counts) => weightedMean(ndcg, pick(counts, queries)),
    spearman: (counts) => correlation.of(pick(counts, pairs)),
  };
}

function pick(counts: ArrayLike<number> | undefined, items: readonly number[]) {
  return counts === undefined ? items.map(() => 1) : items.map((item) => counts[item]!);
}

function weightedMean(values: readonly number[], counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return values.reduce((sum, value, at) => sum + value * counts[at]!, 0) / total;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(value: number): number {
  // Adding 0 makes a zero of a negative one.
  return Number(value.toFixed(DECIMALS)) + 0;
}
