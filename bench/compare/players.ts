/** Who takes part: ours, and the peers that a comparison wants, each in a process of its own. */
import { join } from "node:path";
import { ROOT } from "../../scripts/paths.ts";
import type { Installed } from "../../scripts/peers/peer.ts";
import type { Log } from "../../scripts/process.ts";
import { type Case, modelPath, type Size } from "./cases.ts";
import { type Accuracy, checkWorker, type ModelName, sampleOf } from "./check.ts";
import type { Ready } from "./protocol.ts";
import { Worker, type WorkerCommand } from "./worker.ts";

/** Somebody to be compared with, who may be missing. */
export interface Rival {
  readonly name: string;
  /** Installs what is missing. Throws with the reason why it cannot be had. */
  readonly bring: () => Promise<Installed>;
}

/** A worker that lives as long as the comparison, and how to start more. */
export interface Player {
  readonly worker: Worker;
  readonly command: WorkerCommand;
  /** What it opens, given the GGUF file. */
  readonly source: (path: string) => Promise<string>;
  readonly participant: Participant;
}

export interface Participant extends Omit<Ready, "loadings"> {
  /** Beside float64 references, by model. */
  readonly accuracy: Readonly<{ [model: string]: Accuracy }>;
}

export interface Absent {
  readonly name: string;
  readonly reason: string;
}

export const OURS = join(ROOT, "bench/compare/peers/ours.ts");

/** Peers leave nothing in the checkout, and say in one line what went wrong. */
const QUIETLY = { PYTHONDONTWRITEBYTECODE: "1", GGML_NO_BACKTRACE: "1" };

export interface Field {
  /** Ours first. */
  readonly players: readonly Player[];
  readonly absent: readonly Absent[];
}

interface Stage {
  readonly cases: readonly Case[];
  readonly size: Size;
  readonly threads: number;
}

/**
 * Starts ours and the rivals that a case names, and has each embed the models' references. A rival
 * that cannot be had, or whose vectors are wrong, is absent. Throws when ours are wrong.
 */
export async function startPlayers(
  rivals: readonly Rival[],
  stage: Stage,
  log: Log,
): Promise<Field> {
  const command = { command: [process.execPath, OURS], env: {} };
  const isOurs = ({ kind }: Case) => kind !== "tokenize";
  const players = [await startPlayer(command, async (path) => path, isOurs, stage)];
  const absent: Absent[] = [];
  for (const { name, bring } of rivals) {
    const isIts = (work: Case) => name in work.peers;
    if (!stage.cases.some(isIts)) continue;
    try {
      const { build, command, source } = await bring();
      const env = { PEER_NAME: name, PEER_BUILD: build, ...QUIETLY };
      const embeds = (work: Case) => isOurs(work) && isIts(work);
      players.push(await startPlayer({ command, env }, source, embeds, stage));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log(`${name} is left out: ${reason}`);
      absent.push({ name, reason });
    }
  }
  return { players, absent };
}

async function startPlayer(
  command: WorkerCommand,
  source: Player["source"],
  embeds: (work: Case) => boolean,
  { cases, size, threads }: Stage,
): Promise<Player> {
  const worker = await Worker.start(command);
  try {
    const accuracy: { [model in ModelName]?: Accuracy } = {};
    for (const model of new Set(cases.filter(embeds).map((work) => work.model))) {
      const loaded = { model: await source(await modelPath(model, size)), threads };
      await worker.ask("load", loaded);
      accuracy[model] = await checkWorker(worker, sampleOf(model, size === "tiny"), loaded);
    }
    const { loadings: _, ...ready } = worker.ready;
    return { command, source, worker, participant: { ...ready, accuracy } };
  } catch (error) {
    await worker[Symbol.asyncDispose]();
    throw error;
  }
}

/** Ours, and those that take part in the case. */
export function playersOf(work: Case, [ours, ...peers]: readonly Player[]): Player[] {
  return [ours!, ...peers.filter(({ worker }) => worker.ready.name in work.peers)];
}
