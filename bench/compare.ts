/**
 * `bun run bench:compare`: ours and the peers on the same files, texts and threads, in turn in one
 * run. docs/performance.md says how to read it.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildOrExit } from "../scripts/build.ts";
import { ROOT } from "../scripts/paths.ts";
import { ensurePeer, findPeers, PEERS, type Peer, peerFolder } from "../scripts/peers.ts";
import { logToStderr as log } from "../scripts/process.ts";
import { CASE_IDS, makeCases, modelPath, type Size } from "./compare/cases.ts";
import { type Accuracy, checkWorker } from "./compare/check.ts";
import { describeMachine } from "./compare/machine.ts";
import { measureCase, type Player } from "./compare/measure.ts";
import { formatCase } from "./compare/report.ts";
import type { CaseResult, Comparison, Participant } from "./compare/results.ts";
import { Worker, type WorkerCommand } from "./compare/worker.ts";

const USAGE = `usage: bun run bench:compare [--quick | --tiny] [--cases A,B] [--peers A,B]
  [--threads N] [--rounds N] [--seed N] [--out FILE.json]
cases: ${CASE_IDS.join(", ")}
peers: ${PEERS.map(({ id }) => id).join(", ")}; "none" for ours alone`;

const EFFORT: Readonly<Record<Size, { readonly rounds: number; readonly calls: number }>> = {
  full: { rounds: 9, calls: 60 },
  quick: { rounds: 3, calls: 20 },
  tiny: { rounds: 2, calls: 3 },
};

const OURS: WorkerCommand = {
  command: [process.execPath, join(ROOT, "bench/compare/peers/ours.ts")],
  env: {},
};

/** Peers leave nothing in the checkout, and say in one line what went wrong. */
const QUIETLY = { PYTHONDONTWRITEBYTECODE: "1", GGML_NO_BACKTRACE: "1" };

interface Options {
  readonly size: Size;
  readonly cases: readonly string[];
  readonly peers: readonly Peer[];
  readonly threads: number;
  readonly rounds: number;
  readonly seed: number;
  readonly out: string | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      tiny: { type: "boolean", default: false },
      cases: { type: "string" },
      peers: { type: "string" },
      threads: { type: "string" },
      rounds: { type: "string" },
      seed: { type: "string", default: "1" },
      out: { type: "string" },
    },
  });
  const size = values.tiny ? "tiny" : values.quick ? "quick" : "full";
  const cases = values.cases?.split(",") ?? CASE_IDS;
  const unknown = cases.find((id) => !CASE_IDS.includes(id));
  if (unknown !== undefined) throw new Error(`there is no case ${JSON.stringify(unknown)}`);
  return {
    size,
    cases,
    peers: wantedPeers(values.peers, size),
    threads: wholeNumber("threads", values.threads ?? String(Math.min(2, cpus().length))),
    rounds: wholeNumber("rounds", values.rounds ?? String(EFFORT[size].rounds)),
    seed: wholeNumber("seed", values.seed),
    out: values.out,
  };
}

function wantedPeers(named: string | undefined, size: Size): readonly Peer[] {
  if (named === "none") return [];
  if (named !== undefined) return findPeers(named.split(","));
  // The tiny size runs in seconds, and installs nothing.
  return size === "tiny" ? [] : PEERS.filter((peer) => canRun(peer));
}

function canRun({ name, obstacle }: Peer): boolean {
  const reason = obstacle();
  if (reason !== undefined) log(`${name} is left out: ${reason}`);
  return reason === undefined;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${name} is ${JSON.stringify(text)}; it must be a whole number from 1`);
}

async function startPlayers(peers: readonly Peer[]): Promise<Player[]> {
  const commands = [OURS];
  for (const peer of peers) {
    await ensurePeer(peer);
    const env = { PEER_NAME: peer.name, PEER_BUILD: peer.recipe, ...QUIETLY };
    commands.push({ command: peer.command(peerFolder(peer)), env });
  }
  const players: Player[] = [];
  for (const command of commands) {
    players.push({ command, worker: await Worker.start(command) });
  }
  return players;
}

async function compare(options: Options): Promise<Comparison> {
  const { size, cases: ids, threads, rounds, seed } = options;
  const machine = await describeMachine();
  const cases = await makeCases(ids, size, seed);
  const players = await startPlayers(options.peers);
  const accuracy: Record<string, Accuracy>[] = players.map(() => ({}));
  for (const model of new Set(cases.map(({ model }) => model))) {
    const path = await modelPath(model, size);
    for (const [i, { worker }] of players.entries()) {
      await worker.ask("load", { model: path, threads });
      const sample = size === "tiny" && model === "gemma" ? "mini" : model;
      accuracy[i]![model] = await checkWorker(worker, sample, path, threads);
    }
  }
  const results: CaseResult[] = [];
  for (const work of cases) {
    log(`${work.title}: ${rounds} rounds`);
    const path = await modelPath(work.model, size);
    const { calls } = EFFORT[size];
    const result = await measureCase(work, path, players, { threads, rounds, calls, log });
    log(formatCase(result));
    results.push(result);
  }
  const participants = players.map(({ worker, command }, i): Participant => {
    const { name, build, system } = worker.ready;
    return { name, build, system, recipe: command.env.PEER_BUILD ?? "", accuracy: accuracy[i]! };
  });
  for (const { worker } of players) await worker[Symbol.asyncDispose]();
  return { machine, size, seed, rounds, participants, results };
}

if (process.argv.includes("--help")) {
  console.log(USAGE);
  process.exit(0);
}
const options = readOptions();
await buildOrExit();
const comparison = await compare(options);
if (options.out !== undefined) await Bun.write(options.out, JSON.stringify(comparison, null, 1));
