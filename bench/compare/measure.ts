/** Measures one case: a contest, or ours next to what the machine can do. */
import { loadavg } from "node:os";
import type { Yardstick } from "../yardstick.ts";
import type { Case, Kind } from "./cases.ts";
import { measureEvenness } from "./evenness.ts";
import { measureMemory, measureOpen } from "./fresh.ts";
import { measureKernels } from "./kernels.ts";
import { measurePeakShare } from "./peak-share.ts";
import type { Player } from "./players.ts";
import { measurePrecision } from "./precision.ts";
import { byteLength, type CaseResult, hash } from "./results.ts";
import { measureScaling } from "./scaling.ts";
import { measureTokens, measureWarm } from "./warm.ts";

export interface Conditions {
  readonly threads: number;
  readonly rounds: number;
  /** Calls a round where one text is embedded. */
  readonly calls: number;
  /** Calls that are set beside the control. */
  readonly pairs: number;
  /** Milliseconds a round in which the time of operations is taken. */
  readonly profileMs: number;
  /** Whether the model is the small one. */
  readonly isTiny: boolean;
  /** Cores that may be used where more threads are tried. */
  readonly cores: number;
  /** Our kernels' variant. */
  readonly variant: string;
  readonly yardstick: Yardstick;
}

/** What a kind of case finds. */
export type Findings = Pick<CaseResult, "entries" | "figures">;

/** `path` is the GGUF file; ours is the first of the players. */
export type Measure = (
  work: Case,
  path: string,
  players: readonly Player[],
  conditions: Conditions,
) => Promise<Findings>;

const MEASURES: Readonly<Record<Kind, Measure>> = {
  batch: measureWarm,
  single: both(measureWarm, measureEvenness),
  open: measureOpen,
  memory: measureMemory,
  tokenize: measureTokens,
  scaling: measureScaling,
  peak: measurePeakShare,
  kernels: measureKernels,
  precision: measurePrecision,
};

function both(first: Measure, second: Measure): Measure {
  return async (...given) => {
    const [a, b] = [await first(...given), await second(...given)];
    return { entries: [...a.entries, ...b.entries], figures: [...a.figures, ...b.figures] };
  };
}

export async function measureCase(
  work: Case,
  path: string,
  players: readonly Player[],
  conditions: Conditions,
): Promise<CaseResult> {
  const { id, title, kind, texts, ids, tokens } = work;
  const load = loadavg()[0]!;
  const findings = await MEASURES[kind](work, path, players, conditions);
  return {
    id,
    title,
    kind,
    threads: kind === "tokenize" ? 1 : conditions.threads,
    texts: texts.length,
    tokens,
    bytes: byteLength(texts),
    idsSha256: hash(ids.map((each) => Int32Array.from(each))),
    load,
    ...findings,
  };
}
