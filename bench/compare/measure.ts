/** Takes the time (or memory) of one case, for ours and every peer, in rounds. */
import type { Case, Kind } from "./cases.ts";
import { checkAgreement } from "./check.ts";
import { decodeVector } from "./protocol.ts";
import {
  type CaseResult,
  type Entry,
  hash,
  makeEntry,
  makeEvenness,
  makeRatios,
} from "./results.ts";
import { runRounds } from "./rounds.ts";
import { median, spreadOf } from "./statistics.ts";
import { Worker, type WorkerCommand } from "./worker.ts";

/** Someone who takes part: a worker that lives as long as the comparison, and how to start more. */
export interface Player {
  readonly worker: Worker;
  readonly command: WorkerCommand;
}

export interface Plan {
  readonly threads: number;
  readonly rounds: number;
  /** Calls a round where one text is embedded. */
  readonly calls: number;
  readonly log: (line: string) => void;
}

/** Ours is the first of the players. */
export async function measureCase(
  work: Case,
  model: string,
  players: readonly Player[],
  plan: Plan,
): Promise<CaseResult> {
  const { id, title, kind, texts, ids, tokens } = work;
  const entries = await MEASURES[kind](work, model, players, plan);
  const evenness = kind === "single" ? await measureEvenness(work, model, players[0]!, plan) : {};
  return {
    id,
    title,
    kind,
    threads: plan.threads,
    texts: texts.length,
    tokens,
    idsSha256: hash(ids.map((each) => Int32Array.from(each))),
    entries,
    comparisons: makeRatios(entries, work),
    ...evenness,
  };
}

type Measure = (
  work: Case,
  model: string,
  players: readonly Player[],
  plan: Plan,
) => Promise<Entry[]>;

const MEASURES: Readonly<Record<Kind, Measure>> = {
  batch: measureWarm,
  single: measureWarm,
  open: measureOpen,
  memory: measureMemory,
};

/** In the long-lived workers, with settings found before. */
async function measureWarm(
  { id, kind, texts, ids }: Case,
  model: string,
  players: readonly Player[],
  { threads, rounds, calls }: Plan,
): Promise<Entry[]> {
  const settings: string[] = [];
  for (const { worker } of players) {
    settings.push((await worker.ask("prepare", { case: id, model, threads, texts, ids })).settings);
    await worker.settle();
  }
  const times = kind === "single" ? calls : 1;
  const contestants = players.map(({ worker }) => ({
    run: async () => (await worker.ask("run", { case: id, times })).seconds,
    settle: () => worker.settle(),
  }));
  const samples = await runRounds(contestants, rounds);
  const vectors: Float32Array[][] = [];
  for (const { worker } of players) {
    vectors.push((await worker.ask("vectors", { case: id })).vectors.map(decodeVector));
    await worker.ask("release", { case: id });
  }
  return makeEntries(players, settings, samples, vectors);
}

function makeEntries(
  players: readonly Player[],
  settings: readonly string[],
  samples: readonly number[][][],
  vectors: readonly Float32Array[][],
): Entry[] {
  return players.map(({ worker }, i) => {
    const { name } = worker.ready;
    const agreement = checkAgreement(name, vectors[i]!, vectors[0]!);
    return makeEntry(name, settings[i]!, samples[i]!, vectors[i]!, agreement);
  });
}

/** One text, call by call with a loop that only computes. */
async function measureEvenness(
  { id, texts, ids }: Case,
  model: string,
  { worker }: Player,
  { threads, rounds, calls }: Plan,
): Promise<Pick<CaseResult, "evenness">> {
  const request = { case: `${id}-control`, model, threads, texts, ids, control: true };
  await worker.ask("prepare", request);
  const { case: control } = request;
  await worker.ask("run", { case: control, times: calls });
  const found = await worker.ask("run", { case: control, times: calls * rounds });
  await worker.ask("release", { case: control });
  return { evenness: makeEvenness(found.seconds, found.control ?? []) };
}

interface Fresh {
  readonly value: number;
  readonly wholeSeconds: number;
  readonly vectors: Float32Array[];
}

type Trial = (worker: Worker, loading: string) => Promise<Omit<Fresh, "wholeSeconds">>;

function measureOpen(work: Case, model: string, players: readonly Player[], plan: Plan) {
  return measureFresh(players, plan, async (worker, loading) => {
    const request = { model, threads: plan.threads, text: work.texts[0]!, loading };
    const { seconds, vector } = await worker.ask("first", request);
    return { value: seconds, vectors: [decodeVector(vector)] };
  });
}

function measureMemory(work: Case, model: string, players: readonly Player[], plan: Plan) {
  return measureFresh(players, plan, async (worker, loading) => {
    const request = { model, threads: plan.threads, texts: work.texts, loading };
    const { vectors } = await worker.ask("once", request);
    const value = worker.peakBytes();
    if (value === undefined) throw new Error("this system does not tell a process's peak memory");
    return { value, vectors: vectors.map(decodeVector) };
  });
}

/** In a fresh process each, opened in the way that gives the peer its lowest figure. */
async function measureFresh(
  players: readonly Player[],
  { rounds }: Plan,
  trial: Trial,
): Promise<Entry[]> {
  const settings: string[] = [];
  for (const player of players) settings.push(await bestLoading(player, trial));
  const fresh: Fresh[][] = players.map(() => []);
  const contestants = players.map(({ command }, i) => ({
    run: async () => {
      const found = await inFreshProcess(command, settings[i]!, trial);
      fresh[i]!.push(found);
      return [found.value];
    },
    // Its process is gone.
    settle: async () => {},
  }));
  const samples = await runRounds(contestants, rounds);
  const vectors = fresh.map((each) => each[0]!.vectors);
  return makeEntries(players, settings, samples, vectors).map((entry, i) => ({
    ...entry,
    wholeProcess: spreadOf(fresh[i]!.slice(1).map(({ wholeSeconds }) => wholeSeconds)),
  }));
}

const LOADING_TRIALS = 3;

async function bestLoading({ worker, command }: Player, trial: Trial): Promise<string> {
  const { loadings } = worker.ready;
  let best = loadings[0]!;
  let least = Number.POSITIVE_INFINITY;
  if (loadings.length === 1) return best;
  for (const loading of loadings) {
    const values: number[] = [];
    for (let i = 0; i < LOADING_TRIALS; i++) {
      values.push((await inFreshProcess(command, loading, trial)).value);
    }
    const value = median(values);
    if (value < least) [best, least] = [loading, value];
  }
  return best;
}

async function inFreshProcess(
  command: WorkerCommand,
  loading: string,
  trial: Trial,
): Promise<Fresh> {
  const start = performance.now();
  await using worker = await Worker.start(command);
  const found = await trial(worker, loading);
  return { ...found, wholeSeconds: (performance.now() - start) / 1000 };
}
