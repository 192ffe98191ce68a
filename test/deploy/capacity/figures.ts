import { join } from "node:path";
import type { Machine, Revision } from "../../../bench/compare/machine.ts";
import { ROOT } from "../../docs/markdown.ts";

/** One way to spread instances over the same two cores. */
export interface Layout {
  readonly instances: number;
  readonly threads: number;
  /** Tokens a second of large requests, of each round. */
  readonly bulkTokensPerSecond: readonly number[];
  /** Requests a second of one text each, of each round. */
  readonly requestsPerSecond: readonly number[];
  /** Resident memory of one instance after both, in megabytes, the largest of them. */
  readonly residentMegabytes: number;
}

/** One way to ask, at a share of the highest rate. */
export interface Latency {
  readonly by: "direct" | "nginx";
  readonly share: number;
  readonly requestsPerSecond: number;
  /** Answered, of all rounds. */
  readonly requests: number;
  readonly failed: number;
  /** Of each round. */
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
}

/** One request after the other, by turns. */
export interface Cost {
  readonly what: string;
  readonly requests: number;
  readonly directP50Ms: number;
  readonly nginxP50Ms: number;
}

/** What an answer is made smaller by, and for how long. */
export interface Compression {
  readonly encoding: "base64" | "float";
  readonly level: number;
  readonly share: number;
  readonly msPerText: number;
}

/** Bytes of a text of `BULK_TOKENS` tokens on its way. */
export interface Sizes {
  readonly tokens: number;
  readonly requestBytes: number;
  readonly base64Bytes: number;
  readonly floatBytes: number;
}

/** Redis's memory for texts of the same length that wait. */
export interface Queued {
  readonly texts: number;
  readonly megabytes: number;
}

/** What docs/capacity.json holds, each part from one measure. */
export interface Figures {
  readonly machine: Machine;
  readonly revision: Revision;
  readonly layouts: readonly Layout[];
  readonly latencies: readonly Latency[];
  readonly costs: readonly Cost[];
  readonly compressions: readonly Compression[];
  readonly sizes: Sizes;
  readonly queued: Queued;
}

export const FIGURES_PATH = join(ROOT, "docs", "capacity.json");
/** Tokens of a text of bulk work: a paragraph. */
export const BULK_TOKENS = 128;

export async function readFigures(): Promise<Figures> {
  return (await Bun.file(FIGURES_PATH).json()) as Figures;
}
