/**
 * `bun run bench:server [NAME…]`: what serving costs beside the library, alternating in one run.
 * Absolute figures mean little on a shared machine; clients share its cores with the server.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../scripts/build.ts";
import { ensureMiniLM } from "../scripts/models.ts";
import { ensureSynth } from "../scripts/synth.ts";
import { UsageError } from "../src/cli/errors.ts";
import { parseOptions, wantsHelp } from "../src/cli/options.ts";
import { type Embedder, open } from "../src/index.ts";
import { median, quantile } from "./compare/statistics.ts";
import { SHORT } from "./models.ts";
import { runClients, type ServerProcess, startProcess } from "./server/process.ts";
import { makeTextsOfTokens } from "./texts.ts";
import { withUsage } from "./usage.ts";

const CLIENTS = 64;

interface Scene {
  readonly model: string;
  readonly embedder: Embedder;
  readonly texts: readonly string[];
  readonly textsPath: string;
  readonly tiny: boolean;
}

const MEASURES: Readonly<Record<string, (scene: Scene) => Promise<string[]>>> = {
  overhead,
  throughput,
  overload,
};

const USAGE = `usage: bun run bench:server [${Object.keys(MEASURES).join("] [")}] [options]
  --model M  gemma (the synthetic EmbeddingGemma) or minilm (gemma)
  --tiny     a few seconds for everything, and figures that mean nothing`;

/** One short text: a request against a call, one after the other. */
async function overhead({ model, embedder, texts, tiny }: Scene): Promise<string[]> {
  await using server = await startProcess(model);
  const [text] = texts;
  const body = JSON.stringify({ input: text, encoding_format: "base64" });
  const byServer: number[] = [];
  const byLibrary: number[] = [];
  const rounds = tiny ? 10 : 1000;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await (await fetch(`${server.url}v1/embeddings`, { method: "POST", body })).bytes();
    const between = performance.now();
    await embedder.embed(text!);
    byLibrary.push(performance.now() - between);
    byServer.push(between - start);
  }
  const difference = median(byServer) - median(byLibrary);
  return [
    `one text: ${median(byServer).toFixed(2)} ms by the server, ` +
      `${median(byLibrary).toFixed(2)} ms by the library, ` +
      `${difference.toFixed(2)} ms more at the median (bar: at most 1 ms)`,
  ];
}

/** Many clients with a short text each, against the library's own batches of as many texts. */
async function throughput({ model, embedder, texts, textsPath, tiny }: Scene): Promise<string[]> {
  await using server = await startProcess(model);
  const seconds = tiny ? 0.3 : 4;
  const shares: number[] = [];
  const lines: string[] = [];
  for (let round = 0; round < (tiny ? 1 : 5); round++) {
    const { latenciesMs, seconds: took } = await runClients(
      server.url,
      textsPath,
      ["clients", CLIENTS],
      seconds,
    );
    const served = latenciesMs.length / took;
    const alone = await textsPerSecond(embedder, texts, seconds);
    shares.push(served / alone);
    const latency = `p50 ${quantile(latenciesMs, 0.5).toFixed(0)} ms`;
    lines.push(`  ${served.toFixed(0)} of ${alone.toFixed(0)} texts/s, ${latency}`);
  }
  const [low, high] = [Math.min(...shares), Math.max(...shares)].map((share) => share.toFixed(2));
  return [
    ...lines,
    `${CLIENTS} clients, a text of ${SHORT} tokens each: ${median(shares).toFixed(2)} of the ` +
      `library's batches (${low}–${high}; bar: at least 0.70)`,
  ];
}

async function textsPerSecond(
  embedder: Embedder,
  texts: readonly string[],
  seconds: number,
): Promise<number> {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < seconds * 1000) {
    await embedder.embed(texts.slice(0, CLIENTS));
    count += CLIENTS;
  }
  return (count / (performance.now() - start)) * 1000;
}

/** Four times as much as it can do. */
async function overload({ model, embedder, texts, textsPath, tiny }: Scene): Promise<string[]> {
  const deadlineSeconds = 2;
  const alone = await textsPerSecond(embedder, texts, tiny ? 0.2 : 2);
  await embedder.close();
  await using server = await startProcess(model, ["--deadline", String(deadlineSeconds)]);
  const rate = Math.ceil(4 * alone);
  const seconds = tiny ? 0.5 : 60;
  // Once the load is there, so that only growth under it counts.
  const early = Bun.sleep(seconds * 250).then(() => residentMegabytes(server));
  const report = await runClients(server.url, textsPath, ["rate", rate], seconds);
  const { latenciesMs, statuses } = report;
  const [before, after] = [await early, residentMegabytes(server)];
  const p99 = quantile(latenciesMs, 0.99);
  const refused = Object.entries(statuses).filter(([status]) => status !== "200");
  return [
    `${rate} requests a second for ${report.seconds.toFixed(0)} s: ` +
      `${latenciesMs.length} answered, others ${refused.map(([status, count]) => `${status}: ${count}`).join(", ") || "none"}`,
    `  p99 of those answered ${p99.toFixed(0)} ms (bar: at most ${deadlineSeconds * 1000})`,
    `  resident memory ${before.toFixed(0)} MB after a quarter, ${after.toFixed(0)} MB at the end`,
  ];
}

function residentMegabytes({ pid }: ServerProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6;
}

async function main(args: readonly string[]): Promise<void> {
  if (wantsHelp(args)) return console.log(USAGE);
  const { values, positionals } = parseOptions(
    {
      model: { type: "choice", choices: ["gemma", "minilm"], help: "" },
      tiny: { type: "flag", help: "" },
    },
    args,
  );
  const unknown = positionals.find((name) => !Object.hasOwn(MEASURES, name));
  if (unknown !== undefined) throw new UsageError(`there is no measure '${unknown}'`);
  await ensureBuilt();
  const { tiny } = values;
  const model =
    values.model === "minilm" ? await ensureMiniLM() : await ensureSynth(tiny ? "mini" : "full");
  const folder = mkdtempSync(join(tmpdir(), "ggufembed-bench-"));
  try {
    for (const [name, measure] of Object.entries(MEASURES)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      await using embedder = await open(model);
      const count = (text: string) => embedder.tokenize(text).length;
      const texts = makeTextsOfTokens(4 * CLIENTS, SHORT, 1, count);
      const textsPath = join(folder, "texts.json");
      await Bun.write(textsPath, JSON.stringify(texts));
      await embedder.embed(texts.slice(0, CLIENTS));
      for (const line of await measure({ model, embedder, texts, textsPath, tiny })) {
        console.log(line);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await withUsage(USAGE, () => main(process.argv.slice(2)));
