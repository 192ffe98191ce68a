import { join } from "node:path";
import { CACHE } from "../../scripts/paths.ts";
import type { Peer } from "../../scripts/peers/peer.ts";
import { PEERS } from "../../scripts/peers.ts";
import { UsageError } from "../../src/cli/errors.ts";
import { type OptionSpecs, parseOptions } from "../../src/cli/options.ts";
import { usableCores } from "../../src/cores.ts";
import { CASE_IDS, type Size } from "./cases.ts";

const SPECS = {
  write: { type: "flag", help: "measure nothing: write docs/performance.md from what is recorded" },
  record: { type: "text", value: "FILE.json", help: "of what is measured (.cache/compare.json)" },
  peers: { type: "text", value: "A,B", help: "only these peers, or none; needs --record" },
  threads: { type: "count", value: "N", help: "threads of everyone (2)" },
  rounds: { type: "count", value: "N", help: "how often everyone has a turn (9)" },
  seed: { type: "count", value: "N", help: "of the texts (1)" },
  tiny: { type: "flag", help: "small model and texts, for tests; needs --record" },
} as const satisfies OptionSpecs;

export const USAGE = [
  "usage: bun run bench:compare [CASE…] [options]",
  ...Object.entries(SPECS).map(([name, spec]) => {
    const value = "value" in spec ? ` ${spec.value}` : "";
    return `  ${`--${name}${value}`.padEnd(20)}${spec.help}`;
  }),
  `cases: ${CASE_IDS.join(", ")}`,
  `peers: ${PEERS.map(({ name }) => name).join(", ")}`,
].join("\n");

export interface CompareOptions {
  readonly size: Size;
  readonly cases: readonly string[];
  readonly peers: readonly Peer[];
  readonly threads: number;
  readonly rounds: number | undefined;
  readonly seed: number;
  /** Where results are recorded. */
  readonly record: string;
  readonly write: boolean;
}

const RECORD = join(CACHE, "compare.json");
const THREADS = 2;

/** Throws `UsageError` for what it does not know. */
export function readCompareOptions(args: readonly string[]): CompareOptions {
  const { values, positionals } = parseOptions(SPECS, args);
  const { record = RECORD, rounds, seed = 1, tiny, write } = values;
  const unknown = positionals.find((id) => !CASE_IDS.includes(id));
  if (unknown !== undefined) throw new UsageError(`there is no case '${unknown}'`);
  const peers = readPeers(values.peers);
  if (values.record === undefined && (tiny || values.peers !== undefined)) {
    throw new UsageError("what is not the whole comparison needs a --record of its own");
  }
  return {
    size: tiny ? "tiny" : "full",
    cases: positionals.length > 0 ? positionals : CASE_IDS,
    peers,
    threads: values.threads ?? Math.min(THREADS, usableCores()),
    rounds,
    seed,
    record,
    write,
  };
}

function readPeers(given: string | undefined): readonly Peer[] {
  if (given === undefined) return PEERS;
  const names = given === "none" ? [] : given.split(",");
  const unknown = names.find((name) => !PEERS.some((peer) => peer.name === name));
  if (unknown !== undefined) throw new UsageError(`there is no peer '${unknown}'`);
  return PEERS.filter(({ name }) => names.includes(name));
}
