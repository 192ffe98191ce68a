/**
 * `bun run bench:documents`: what an index of documents costs and finds. The first run makes one of
 * 100,000 chunks, some minutes; it may be interrupted, and is kept in `.cache`.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../scripts/build.ts";
import { ensureMiniLM } from "../scripts/models.ts";
import { CACHE } from "../scripts/paths.ts";
import { ensureSynth } from "../scripts/synth.ts";
import { UsageError } from "../src/cli/errors.ts";
import { parseOptions, wantsHelp } from "../src/cli/options.ts";
import {
  type Embedder,
  type IndexSearchOptions,
  open,
  openSearchIndex,
  type SearchIndex,
  systemInfo,
} from "../src/index.ts";
import { median } from "./compare/statistics.ts";
import { corpusFiles, questionsOffTopic, readDocument, wordsOfFiles } from "./documents/corpus.ts";
import { latencyOf, paceOf, recallOf } from "./documents/measure.ts";
import { makeShape } from "./documents/shape.ts";
import { withUsage } from "./usage.ts";
import { warmUp } from "./warm-up.ts";

const PARTS = ["build", "latency", "shape", "recall", "pace"] as const;
type Part = (typeof PARTS)[number];

const USAGE = `usage: bun run bench:documents [${PARTS.join("] [")}] [options]
  --chunks N  about how many (100000)
  --tiny      a few seconds for everything, and figures that mean nothing`;

const SEED = 1;
/** Short: the same number of chunks from less text, and no less to search. */
const MAX_TOKENS = 48;
/** Documents that are added between two looks at how many chunks there are. */
const GROUP = 20;
const QUERIES = 200;
const CACHE_BYTES = 2 ** 26;
const ROUNDS = 7;
const PACE_DOCUMENTS = 40;

interface Scene {
  readonly model: Embedder;
  readonly files: readonly string[];
  readonly index: SearchIndex;
  readonly tiny: boolean;
}

const MEASURES: Readonly<Record<Exclude<Part, "build">, (scene: Scene) => Promise<string[]>>> = {
  latency,
  shape,
  recall,
  pace,
};

async function main(args: readonly string[]): Promise<void> {
  if (wantsHelp(args)) return console.log(USAGE);
  const specs = {
    chunks: { type: "count", value: "N", help: "" },
    tiny: { type: "flag", help: "" },
  } as const;
  const { values, positionals } = parseOptions(specs, args);
  const unknown = positionals.find((name) => !PARTS.includes(name as Part));
  if (unknown !== undefined) throw new UsageError(`there is no part '${unknown}'`);
  await ensureBuilt();
  const { tiny } = values;
  const wanted = values.chunks ?? (tiny ? 300 : 100_000);
  const source = tiny ? await ensureSynth("mini") : await ensureMiniLM();
  const folder = tiny ? mkdtempSync(join(tmpdir(), "ggufembed-bench-")) : join(CACHE, "indexes");
  mkdirSync(folder, { recursive: true });
  try {
    await using model = await open(source, { cacheBytes: CACHE_BYTES });
    const path = join(folder, `minilm-${wanted}.db`);
    await using index = await openSearchIndex({ path, model, source, maxTokens: MAX_TOKENS });
    const files = corpusFiles(SEED);
    await build(index, files, wanted);
    const { cpu, cores } = await systemInfo();
    const { chunks, documents, bytes } = index.stats();
    console.log(`${cpu}, ${cores} cores; ${model.config.name}`);
    console.log(`${chunks} chunks of ${documents} files: ${(bytes / 1e6).toFixed(1)} MB`);
    for (const [name, measure] of Object.entries(MEASURES)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      for (const line of await measure({ model, index, files, tiny })) console.log(line);
    }
  } finally {
    if (tiny) rmSync(folder, { recursive: true });
  }
}

/** Adds files until there are enough chunks. */
async function build(index: SearchIndex, files: readonly string[], wanted: number): Promise<void> {
  let { chunks, documents: first } = index.stats();
  for (; chunks < wanted && first < files.length; first += GROUP) {
    await index.add(await Promise.all(files.slice(first, first + GROUP).map(readDocument)));
    chunks = index.stats().chunks;
  }
}

async function latency({ index, files, tiny }: Scene): Promise<string[]> {
  const rest = files.slice(index.stats().documents);
  const queries = await wordsOfFiles(rest, tiny ? 5 : QUERIES);
  return ["the best ten:", ...(await timesOf(index, queries))];
}

/** The index and its model must not have met the queries. */
async function timesOf(index: SearchIndex, queries: readonly string[]): Promise<string[]> {
  const ways: Readonly<Record<string, IndexSearchOptions>> = {
    vector: { mode: "vector" },
    text: { mode: "text" },
    hybrid: { mode: "hybrid" },
    "hybrid, in some documents": { mode: "hybrid", filter: { id: "[a-h1-3]*" } },
  };
  // Pages come into the cache, and code is compiled.
  await latencyOf(index, queries.slice(-20), { mode: "hybrid" });
  const lines: string[] = [];
  for (const [name, options] of Object.entries(ways)) {
    // The model's cache has no query the first time, and all of them the second.
    const some = queries.map((query) => `${query} ${name}`);
    for (const what of ["with the query's embedding", "without"]) {
      const { p50, p95 } = await latencyOf(index, some, options);
      lines.push(`  ${name}, ${what}: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
    }
  }
  const exact = await latencyOf(index, queries.slice(0, 20), { mode: "vector", exact: true });
  return [...lines, `  exact: p50 ${exact.p50.toFixed(1)} ms, p95 ${exact.p95.toFixed(1)} ms`];
}

/** The same with vectors as wide as EmbeddingGemma's, and its time for a query. */
async function shape({ index, files, tiny }: Scene): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "ggufembed-bench-"));
  try {
    await using model = await open(await ensureSynth(tiny ? "mini" : "full"), {
      cacheBytes: CACHE_BYTES,
    });
    const path = join(folder, "shape.db");
    await makeShape(path, model, index.stats().path, SEED);
    await using wide = await openSearchIndex({ path, model });
    const count = tiny ? 5 : QUERIES;
    const queries = await wordsOfFiles(files.slice(index.stats().documents), count);
    const { bytes, chunks } = wide.stats();
    const size = `${chunks} chunks, ${(bytes / 1e6).toFixed(1)} MB`;
    return [
      `random vectors of ${model.config.embeddingSize}, ${size}:`,
      ...(await timesOf(wide, queries)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function recall({ index, files, tiny }: Scene): Promise<string[]> {
  const rest = files.slice(index.stats().documents);
  const sets = {
    "words of other files": await wordsOfFiles(rest, tiny ? 5 : QUERIES),
    "questions off the topic": (await questionsOffTopic()).slice(0, tiny ? 5 : QUERIES),
  };
  const lines: string[] = [];
  for (const [name, queries] of Object.entries(sets)) {
    const share = await recallOf(index, queries);
    lines.push(`  ${queries.length} ${name}: ${share.toFixed(4)}`);
  }
  return ["of the ten that comparing all vectors finds:", ...lines];
}

async function pace({ files, tiny }: Scene): Promise<string[]> {
  const shares: number[] = [];
  const lines: string[] = [];
  const source = tiny ? await ensureSynth("mini") : await ensureMiniLM();
  // Without a cache: that would know what it is given twice.
  await using model = await open(source);
  // The first texts meet code and pages that are cold.
  await warmUp(() => model.embed(files.slice(0, PACE_DOCUMENTS)), tiny ? 0 : 1);
  for (let round = 0; round < (tiny ? 1 : ROUNDS); round++) {
    const size = tiny ? 2 : PACE_DOCUMENTS;
    const some = files.slice(round * size, (round + 1) * size);
    const documents = await Promise.all(some.map(readDocument));
    const folder = mkdtempSync(join(tmpdir(), "ggufembed-bench-"));
    try {
      await using index = await openSearchIndex({
        path: join(folder, "index.db"),
        model,
        maxTokens: MAX_TOKENS,
      });
      const found = await paceOf(model, index, documents, MAX_TOKENS);
      shares.push(found.index / found.model);
      const [into, alone] = [found.index, found.model].map((rate) => rate.toFixed(0));
      lines.push(`  ${into} of ${alone} tokens/s`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const [low, high] = [Math.min(...shares), Math.max(...shares)].map((share) => share.toFixed(2));
  return [...lines, `indexing: ${median(shares).toFixed(2)} of the model's pace (${low}–${high})`];
}

await withUsage(USAGE, () => main(process.argv.slice(2)));
