/**
 * `bun run bench:queue [NAME…]`: what a queue costs beside the library, and what a second worker
 * brings, alternating in one run. Needs redis-server. Absolute figures mean little on a shared
 * machine; Redis shares its cores with the workers.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../scripts/build.ts";
import { ensureMiniLM } from "../scripts/models.ts";
import { ensureSynth } from "../scripts/synth.ts";
import { UsageError } from "../src/cli/errors.ts";
import { parseOptions, wantsHelp } from "../src/cli/options.ts";
import { open, systemInfo } from "../src/index.ts";
import { median } from "./compare/statistics.ts";
import { USUAL } from "./models.ts";
import { type Contestant, library, type QueueScene, workers } from "./queue/contestants.ts";
import { startRedis } from "./queue/redis.ts";
import { makeTextsOfTokens } from "./texts.ts";
import { withUsage } from "./usage.ts";

const SEED = 1;

interface Arrangement {
  readonly name: string;
  /** 0 for the library alone. */
  readonly workers: number;
  readonly threads: number;
}

/** Pairs of what is compared: the second against the first. */
const MEASURES: Readonly<Record<string, readonly [Arrangement, Arrangement]>> = {
  library: [
    { name: "the library, 2 threads", workers: 0, threads: 2 },
    { name: "one worker, 2 threads", workers: 1, threads: 2 },
  ],
  spare: [
    { name: "the library, 1 thread", workers: 0, threads: 1 },
    { name: "one worker, 1 thread", workers: 1, threads: 1 },
  ],
  workers: [
    { name: "one worker, 1 thread", workers: 1, threads: 1 },
    { name: "two workers, 1 thread each", workers: 2, threads: 1 },
  ],
};

const USAGE = `usage: bun run bench:queue [${Object.keys(MEASURES).join("] [")}] [options]
  --model M   gemma (the synthetic EmbeddingGemma) or minilm (gemma)
  --texts N   texts of a round, of ${USUAL} tokens each (768, minilm: 4096)
  --results P jsonl, parquet or sqlite (jsonl)
  --rounds N  how often they alternate (3)
  --tiny      a few seconds for everything, and figures that mean nothing`;

async function main(args: readonly string[]): Promise<void> {
  if (wantsHelp(args)) return console.log(USAGE);
  const { values, positionals } = parseOptions(
    {
      model: { type: "choice", choices: ["gemma", "minilm"], help: "" },
      texts: { type: "count", value: "N", help: "" },
      results: { type: "choice", choices: ["jsonl", "parquet", "sqlite"], help: "" },
      rounds: { type: "count", value: "N", help: "" },
      tiny: { type: "flag", help: "" },
    },
    args,
  );
  const unknown = positionals.find((name) => !Object.hasOwn(MEASURES, name));
  if (unknown !== undefined) throw new UsageError(`there is no measure '${unknown}'`);
  await ensureBuilt();
  const { tiny } = values;
  const isMiniLM = values.model === "minilm";
  const model = isMiniLM ? await ensureMiniLM() : await ensureSynth(tiny ? "mini" : "full");
  const texts = await makeInput(model, values.texts ?? (tiny ? 256 : isMiniLM ? 4096 : 768));
  const folder = mkdtempSync(join(tmpdir(), "ggufembed-bench-"));
  try {
    await using redis = await startRedis(folder);
    const { native } = await systemInfo();
    console.log(`${native?.variant}, seed ${SEED}, ${texts.length} texts of ${USUAL} tokens`);
    for (const [name, pair] of Object.entries(MEASURES)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      const scene = { model, redis: redis.address, folder, results: values.results ?? "jsonl" };
      await using first = await contestant(scene, `${name}-first`, pair[0]);
      await using second = await contestant(scene, `${name}-second`, pair[1]);
      await alternate(pair, [first, second], texts, values.rounds ?? (tiny ? 1 : 3));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function contestant(scene: QueueScene, queue: string, { workers: count, threads }: Arrangement) {
  return count === 0 ? library(scene, threads) : workers(scene, queue, count, threads);
}

async function makeInput(model: string, count: number): Promise<string[]> {
  await using embedder = await open(model, { threads: 1 });
  return makeTextsOfTokens(count, USUAL, SEED, (text) => embedder.tokenize(text).length);
}

async function alternate(
  pair: readonly [Arrangement, Arrangement],
  contestants: readonly [Contestant, Contestant],
  texts: readonly string[],
  rounds: number,
): Promise<void> {
  const rates: [number[], number[]] = [[], []];
  for (const contestant of contestants) await contestant.run(texts.slice(0, 512), "warm-up");
  for (let round = 0; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const start = performance.now();
      await contestant.run(texts, `round ${round}`);
      rates[i]!.push((texts.length / (performance.now() - start)) * 1000);
    }
  }
  const told = pair.map(({ name }, i) => `${name}: ${median(rates[i]!).toFixed(1)} texts/s`);
  const ratios = rates[1].map((rate, i) => rate / rates[0][i]!);
  const each = ratios.map((ratio) => ratio.toFixed(3)).join(", ");
  console.log(`${told.join("; ")}; ratio ${median(ratios).toFixed(3)} (${each})`);
}

await withUsage(USAGE, () => main(process.argv.slice(2)));
