/** Opening a model and its memory: a fresh process each time, loading as is best for the peer. */
import type { Case } from "./cases.ts";
import type { Conditions, Findings, Measure } from "./measure.ts";
import type { Player } from "./players.ts";
import { decodeVector } from "./protocol.ts";
import { contestFigures, ownFigure } from "./results.ts";
import { runRounds } from "./rounds.ts";
import { median, spreadOf } from "./statistics.ts";
import { makeEntries } from "./warm.ts";
import { Worker, type WorkerCommand } from "./worker.ts";

interface Fresh {
  readonly value: number;
  readonly wholeSeconds: number;
  readonly vectors: Float32Array[];
}

type Trial = (worker: Worker, loading: string) => Promise<Omit<Fresh, "wholeSeconds">>;

export const measureOpen: Measure = (work, model, players, conditions) => {
  const { threads } = conditions;
  return measureFresh(work, players, conditions, async (worker, loading) => {
    const request = { model, threads, text: work.texts[0]!, loading };
    const { seconds, vector } = await worker.ask("first", request);
    return { value: seconds, vectors: [decodeVector(vector)] };
  });
};

export const measureMemory: Measure = async (work, model, players, conditions) => {
  const { threads } = conditions;
  const { texts, bars } = work;
  const found = await measureFresh(work, players, conditions, async (worker, loading) => {
    const { vectors } = await worker.ask("once", { model, threads, texts, loading });
    const value = worker.peakBytes();
    if (value === undefined) throw new Error("this system does not tell a process's peak memory");
    return { value, vectors: vectors.map(decodeVector) };
  });
  const bytes = found.entries[0]!.samples.flat();
  const own = ownFigure("peak memory", "bytes", bytes, bars.bytes ?? null);
  return { ...found, figures: [...found.figures, own] };
};

async function measureFresh(
  work: Case,
  players: readonly Player[],
  { rounds }: Conditions,
  trial: Trial,
): Promise<Findings> {
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
  const entries = makeEntries(players, settings, samples, vectors).map((entry, i) => ({
    ...entry,
    wholeProcess: spreadOf(fresh[i]!.slice(1).map(({ wholeSeconds }) => wholeSeconds)),
  }));
  return { entries, figures: contestFigures(entries, work) };
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
