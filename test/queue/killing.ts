import { join } from "node:path";
import { open } from "../../src/index.ts";
import { type QueueStatus, queueStatus } from "../../src/queue/index.ts";
import { cliEnvironment, MAIN } from "../cli/run-cli.ts";
import { readJsonlFiles, readResults } from "./read-results.ts";

export interface KillingOptions {
  readonly folder: string;
  /** Of Redis. */
  readonly address: string;
  readonly model: string;
  readonly results: string;
  readonly texts: number;
  readonly workers: number;
  /** Milliseconds between two kills, about; twice as many at most. */
  readonly intervalMs: number;
  readonly seed: number;
  readonly log?: (line: string) => void;
}

export interface KillingReport {
  readonly status: QueueStatus;
  /** Workers and producers that were killed before they were done. */
  readonly workersKilled: number;
  readonly producersKilled: number;
  /** Rows of the result store. */
  readonly rows: number;
  readonly missing: number;
  readonly doubled: number;
  /** Rows whose vector has not the library's bits, or whose tokens differ. */
  readonly different: number;
  readonly seconds: number;
}

/** Numbers from 0 to 1, the same for a seed: the generator of Numerical Recipes. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const WORDS = ["river", "stone", "market", "engine", "night", "letter", "garden", "signal"];

/** Different texts of 2 to 12 words: the tiny model takes no more. */
export function textsFor(count: number, random: () => number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const length = 2 + Math.floor(random() * 11);
    const words = Array.from({ length }, () => WORDS[Math.floor(random() * WORDS.length)]);
    return `${i} ${words.join(" ")}`;
  });
}

/**
 * Puts texts into a queue by the command line and embeds them by workers, of which one is killed
 * (SIGKILL) and replaced again and again; so is the producer. Then holds the results to those of
 * the library.
 */
export async function killAtRandom(options: KillingOptions): Promise<KillingReport> {
  const { folder, address, model, results, workers: count, log = () => {} } = options;
  const random = randomFrom(options.seed);
  const texts = textsFor(options.texts, random);
  const file = join(folder, "texts.txt");
  await Bun.write(file, `${texts.join("\n")}\n`);
  const place = ["--redis", address, "--queue", "killing"];
  const enqueue = () => start(["enqueue", ...place, "--waiting-max", "32", file]);
  const work = () =>
    start(["worker", ...place, "-m", model, "-o", results, "--lock", "1", "--threads", "1"]);

  const begun = performance.now();
  let producer = enqueue();
  const workers = Array.from({ length: count }, work);
  let workersKilled = 0;
  let producersKilled = 0;
  let status = await queueStatus({ redis: address, queue: "killing" });
  while (status.done < texts.length && status.failed === 0) {
    await Bun.sleep(options.intervalMs * (0.2 + 1.8 * random()));
    const victim = Math.floor(random() * count);
    await end(workers[victim]!, "SIGKILL");
    workers[victim] = work();
    workersKilled++;
    if (producer.exitCode === null && random() < 0.3) {
      await end(producer, "SIGKILL");
      producersKilled++;
      producer = enqueue();
    } else if (producer.exitCode !== null && producer.exitCode !== 0) {
      throw new Error(`the producer ended: ${await producer.stderr.text()}`);
    }
    status = await queueStatus({ redis: address, queue: "killing" });
    const { done, waiting, active } = status;
    log(`${done} done, ${waiting} waiting, ${active} batches active, ${workersKilled} killed`);
  }
  const seconds = (performance.now() - begun) / 1000;
  await producer.exited;
  await Promise.all(workers.map((worker) => end(worker, "SIGTERM")));
  status = await queueStatus({ redis: address, queue: "killing" });
  const compared = await compare(texts, model, results);
  return { status, workersKilled, producersKilled, seconds, ...compared };
}

function start(args: string[]) {
  return Bun.spawn([process.execPath, MAIN, ...args], {
    env: cliEnvironment(),
    stdio: ["ignore", "ignore", "pipe"],
  });
}

async function end(child: Bun.Subprocess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  child.kill(signal);
  await child.exited;
}

async function compare(texts: readonly string[], path: string, results: string) {
  // Not as `collect` reads them, which would hide what is there twice.
  const isJsonl = results.startsWith("jsonl:");
  const rows = isJsonl
    ? await readJsonlFiles(results.slice("jsonl:".length))
    : await readResults(results);
  const found = new Map(rows.map((row) => [row.id, row]));
  await using model = await open(path);
  let missing = 0;
  let different = 0;
  for await (const { index, embedding, tokens } of model.stream(texts)) {
    const row = found.get(`texts.txt:${index + 1}`);
    if (row === undefined) missing++;
    else if (
      row.tokens !== tokens ||
      !Buffer.from(bytesOf(row.embedding)).equals(bytesOf(embedding))
    )
      different++;
  }
  return { rows: rows.length, missing, doubled: rows.length - found.size, different };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
