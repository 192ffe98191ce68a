/** Time of work that goes on, in long-lived workers with settings found before. */
import type { Case } from "./cases.ts";
import { checkAgreement, checkSameIds } from "./check.ts";
import type { Measure } from "./measure.ts";
import type { Player } from "./players.ts";
import { decodeIds, decodeVector } from "./protocol.ts";
import { contestFigures, type Entry, makeEntry } from "./results.ts";
import { runRounds } from "./rounds.ts";

export const measureWarm: Measure = async (work, path, players, { threads, rounds, calls }) => {
  const { id, kind, texts, ids } = work;
  const settings: string[] = [];
  for (const { worker, source } of players) {
    const request = { case: id, model: await source(path), threads, texts, ids };
    settings.push((await worker.ask("prepare", request)).settings);
    await worker.settle();
  }
  const times = kind === "single" ? calls : 1;
  const samples = await runRounds(contestants("run", players, work, times), rounds);
  const vectors: Float32Array[][] = [];
  for (const { worker } of players) {
    vectors.push((await worker.ask("vectors", { case: id })).vectors.map(decodeVector));
    await worker.ask("release", { case: id });
  }
  const entries = makeEntries(players, settings, samples, vectors);
  return { entries, figures: contestFigures(entries, work) };
};

/** The first round of all is a warm-up, so there are texts for one more. */
export const measureTokens: Measure = async (work, path, players, { rounds }) => {
  const { id, texts } = work;
  const settings: string[] = [];
  for (const { worker, source } of players) {
    const request = { case: id, model: await source(path), texts };
    settings.push((await worker.ask("prepare_tokens", request)).settings);
    await worker.settle();
  }
  const times = Math.max(1, Math.floor(texts.length / (rounds + 1)));
  const samples = await runRounds(contestants("run_tokens", players, work, times), rounds);
  const entries: Entry[] = [];
  const ours: Int32Array[] = [];
  for (const [i, { worker }] of players.entries()) {
    const ids = (await worker.ask("tokens", { case: id })).ids.map(decodeIds);
    await worker.ask("release", { case: id });
    if (i === 0) ours.push(...ids);
    const { name } = worker.ready;
    checkSameIds(name, ids, ours);
    entries.push({ ...makeEntry(name, settings[i]!, samples[i]!, ids), agreement: 1 });
  }
  return { entries, figures: contestFigures(entries, work) };
};

function contestants(
  op: "run" | "run_tokens",
  players: readonly Player[],
  { id }: Case,
  times: number,
) {
  return players.map(({ worker }) => ({
    run: async () => (await worker.ask(op, { case: id, times })).seconds,
    settle: () => worker.settle(),
  }));
}

/** Throws where a peer's vectors do not agree with ours. */
export function makeEntries(
  players: readonly Player[],
  settings: readonly string[],
  samples: readonly number[][][],
  vectors: readonly Float32Array[][],
): Entry[] {
  return players.map(({ worker }, i) => {
    const { name } = worker.ready;
    const agreement = checkAgreement(name, vectors[i]!, vectors[0]!);
    return { ...makeEntry(name, settings[i]!, samples[i]!, vectors[i]!), agreement };
  });
}
