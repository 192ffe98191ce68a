/**
 * `bun run bench:compare`: ours and the peers on the same files, texts and threads, in turn in one
 * run. docs/performance.md says how to read it. `--help` tells the options.
 */
import { join } from "node:path";
import { ensureBuilt } from "../scripts/build.ts";
import { ROOT } from "../scripts/paths.ts";
import { bringPeer } from "../scripts/peers.ts";
import { type Log, logToStderr } from "../scripts/process.ts";
import { wantsHelp } from "../src/cli/options.ts";
import { type Case, makeCases, modelPath, type Size } from "./compare/cases.ts";
import { insertMeasured } from "./compare/document.ts";
import { describeFigure } from "./compare/figures.ts";
import { describeMachine, describeRevision } from "./compare/machine.ts";
import { type Conditions, measureCase } from "./compare/measure.ts";
import { type CompareOptions, readCompareOptions, USAGE } from "./compare/options.ts";
import { type Player, playersOf, type Rival, startPlayers } from "./compare/players.ts";
import {
  addComparison,
  addFindings,
  type Comparison,
  formatJson,
  isSameSetting,
  readJson,
} from "./compare/record.ts";
import type { CaseResult } from "./compare/results.ts";
import { withUsage } from "./usage.ts";
import { Yardstick } from "./yardstick.ts";

const EFFORT = {
  full: { rounds: 9, calls: 60, pairs: 1000, profileMs: 500 },
  tiny: { rounds: 2, calls: 3, pairs: 5, profileMs: 10 },
} as const satisfies Record<Size, object>;
/** Long texts that are tokenized in a round. */
const LONG_TEXTS = 3;

/** Measures and records. Returns the cases that failed. */
export async function compare(
  options: CompareOptions,
  rivals: readonly Rival[],
  log: Log = logToStderr,
): Promise<readonly string[]> {
  const { size, seed, threads, record } = options;
  const effort = { ...EFFORT[size], rounds: options.rounds ?? EFFORT[size].rounds };
  const machine = await describeMachine();
  const setting = { machine, revision: describeRevision(), threads, seed };
  const before = await readJson<Comparison>(record);
  if (before !== undefined && !isSameSetting(before.setting, setting)) {
    log(`${record} starts anew: it is of another commit or machine, or of one not committed`);
  }
  const longTexts = LONG_TEXTS * (effort.rounds + 1);
  const cases = await makeCases(options.cases, { size, seed, longTexts });
  await using yardstick = await Yardstick.start();
  const { players, absent } = await startPlayers(rivals, { cases, size, threads }, log);
  const { cores, variant } = machine;
  const isTiny = size === "tiny";
  const conditions = { ...effort, threads, yardstick, cores, variant, isTiny };
  const participants = players.map(({ participant }) => participant);
  const results: CaseResult[] = [];
  const failed: string[] = [];
  for (const work of cases) {
    try {
      results.push(await measureOne(work, players, conditions, log));
    } catch (error) {
      log(`${work.id} failed: ${error instanceof Error ? error.message : error}`);
      failed.push(work.id);
    }
    // After each case: who stops it halfway has half.
    const found = addFindings(before, { setting, participants, absent, results });
    await Bun.write(record, formatJson(found));
  }
  for (const { worker } of players) await worker[Symbol.asyncDispose]();
  return failed;
}

async function measureOne(
  work: Case,
  players: readonly Player[],
  conditions: Conditions,
  log: Log,
): Promise<CaseResult> {
  log(`${work.id}: ${work.title}`);
  const start = performance.now();
  const path = await modelPath(work.model, conditions.isTiny ? "tiny" : "full");
  const result = await measureCase(work, path, playersOf(work, players), conditions);
  for (const figure of result.figures) {
    const { figure: found, range, bar, met, ours, beside } = describeFigure(figure);
    const asked = bar === "" ? "" : `, ${bar}: ${met}`;
    const parts = [range, beside === "" ? ours : `${ours} beside ${beside}`].filter(Boolean);
    const details = parts.length === 0 ? "" : ` (${parts.join("; ")})`;
    log(`  ${figure.what}: ${found}${details}${asked}`);
  }
  for (const { name, settings } of result.entries) {
    if (settings !== "") log(`  ${name}: ${settings}`);
  }
  log(`  took ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return result;
}

/** Where a comparison is published: a document, and all of it beside. */
export interface Publication {
  readonly document: string;
  readonly data: string;
}

const PUBLICATION: Publication = {
  document: join(ROOT, "docs/performance.md"),
  data: join(ROOT, "docs/performance.json"),
};

/** Adds what is recorded, if there is any, and writes the document's measured part anew. */
export async function publish(record: string, { document, data }: Publication): Promise<void> {
  const before = (await readJson<Comparison[]>(data)) ?? [];
  const added = await readJson<Comparison>(record);
  const all = added === undefined ? before : addComparison(before, added);
  await Bun.write(data, formatJson(all));
  await Bun.write(document, insertMeasured(await Bun.file(document).text(), all));
}

if (import.meta.main) {
  await withUsage(USAGE, async () => {
    const args = process.argv.slice(2);
    if (wantsHelp(args)) return console.log(USAGE);
    const options = readCompareOptions(args);
    if (options.write) return await publish(options.record, PUBLICATION);
    await ensureBuilt();
    const rivals = options.peers.map((peer) => ({
      name: peer.name,
      bring: () => bringPeer(peer),
    }));
    const failed = await compare(options, rivals);
    if (failed.length > 0) process.exitCode = 1;
  });
}
