import { join } from "node:path";
import { ROOT } from "../../scripts/paths.ts";
import { llamaCpp } from "../../scripts/peers/llama-cpp.ts";
import { bringPeer } from "../../scripts/peers.ts";
import { open } from "../../src/index.ts";
import { readGolden } from "../../test/reference/golden.ts";
import { type Accuracy, checkAgreement, measureAccuracy } from "../compare/check.ts";
import { decodeVector } from "../compare/protocol.ts";
import { runRounds } from "../compare/rounds.ts";
import { median } from "../compare/statistics.ts";
import { Worker } from "../compare/worker.ts";
import { USUAL } from "../models.ts";
import { makeTextsOfTokens } from "../texts.ts";
import type { Row } from "./rows.ts";

const TEXTS = 64;
const ROUNDS = 7;
const THREADS = 2;
const SEED = 1;

/** What was found of a row; of a part that could not be measured, why. */
export interface Found {
  readonly id: string;
  readonly commit: string;
  readonly accuracy?: { readonly ours: Accuracy | Failed; readonly llama: Accuracy | Failed };
  readonly speed?: Speed | Failed;
}

export interface Failed {
  readonly failed: string;
}

export interface Speed {
  /** Of llama.cpp's time and ours, in each round. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Tokens a second at the median. */
  readonly ours: number;
  readonly llama: number;
  /** Lowest cosine of a vector of ours with llama.cpp's. */
  readonly agreement: number;
}

/** Both are asked in processes of their own, in turn. */
export class Contest implements AsyncDisposable {
  readonly #ours: Worker;
  readonly #llama: Worker;

  private constructor(ours: Worker, llama: Worker) {
    this.#ours = ours;
    this.#llama = llama;
  }

  /** A pair for one model: both keep what they have opened. */
  static async start(): Promise<Contest> {
    const { build, command } = await bringPeer(llamaCpp);
    const ours = join(ROOT, "bench/compare/peers/ours.ts");
    const env = { PEER_NAME: llamaCpp.name, PEER_BUILD: build, PYTHONDONTWRITEBYTECODE: "1" };
    return new Contest(
      await Worker.start({ command: [process.execPath, ours], env: {} }),
      await Worker.start({ command, env }),
    );
  }

  async accuracy({ golden, goldenModel }: Row): Promise<Found["accuracy"]> {
    if (golden === undefined || goldenModel === undefined) return undefined;
    const texts = readGolden(golden);
    const loaded = { model: await goldenModel(), threads: THREADS };
    const of = async (worker: Worker) => {
      await worker.ask("load", loaded);
      return await measureAccuracy(worker, texts, loaded);
    };
    return {
      ours: await of(this.#ours).catch(failed),
      llama: await of(this.#llama).catch(failed),
    };
  }

  async speed({ speedModel }: Row): Promise<Found["speed"]> {
    return speedModel === undefined ? undefined : this.#race(await speedModel()).catch(failed);
  }

  async #race(model: string): Promise<Speed> {
    const { texts, ids } = await textsFor(model);
    const tokens = ids.reduce((sum, each) => sum + each.length, 0);
    const loaded = { model, threads: THREADS };
    const request = { case: "speed", ...loaded, texts, ids };
    const workers = [this.#ours, this.#llama];
    for (const worker of workers) {
      await worker.ask("load", loaded);
      await worker.ask("prepare", request);
      await worker.settle();
    }
    const contestants = workers.map((worker) => ({
      run: async () => (await worker.ask("run", { case: "speed", times: 1 })).seconds,
      settle: () => worker.settle(),
    }));
    const [ours, llama] = (await runRounds(contestants, ROUNDS)).map((rounds) => rounds.flat());
    const vectors = async (worker: Worker) =>
      (await worker.ask("vectors", { case: "speed" })).vectors.map(decodeVector);
    const agreement = checkAgreement(
      llamaCpp.name,
      await vectors(this.#llama),
      await vectors(this.#ours),
    );
    const ratios = llama!.map((seconds, i) => seconds / ours![i]!);
    return {
      median: median(ratios),
      low: Math.min(...ratios),
      high: Math.max(...ratios),
      ours: tokens / median(ours!),
      llama: tokens / median(llama!),
      agreement,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ours[Symbol.asyncDispose]();
    await this.#llama[Symbol.asyncDispose]();
  }
}

async function textsFor(model: string) {
  await using embedder = await open(model);
  const texts = makeTextsOfTokens(TEXTS, USUAL, SEED, (text) => embedder.tokenize(text).length);
  return { texts, ids: texts.map((text) => [...embedder.tokenize(text)]) };
}

function failed(error: unknown): Failed {
  const message = error instanceof Error ? error.message : String(error);
  // The document names no folder of this machine.
  return { failed: message.replaceAll(`${ROOT}/`, "") };
}
