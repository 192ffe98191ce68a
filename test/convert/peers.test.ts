import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "../../bench/compare/worker.ts";
import { ensureFile } from "../../scripts/cached.ts";
import { CACHE } from "../../scripts/paths.ts";
import { llamaCpp } from "../../scripts/peers/llama-cpp.ts";
import { sentenceTransformers } from "../../scripts/peers/minilm.ts";
import { pythonOf } from "../../scripts/peers/python.ts";
import { GEMMA_TOKENIZER } from "../../scripts/synth.ts";
import { convert, open, QUANTIZE_TYPES } from "../../src/index.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { type Distance, distance } from "../reference/golden.ts";

/** What transformers, sentence-transformers and llama.cpp make of models that they know. */
const SCRIPT = join(import.meta.dir, "peers/checkpoints.py");
const peerFolder = (id: string) => join(CACHE, "peers", id);
const TRANSFORMERS = peerFolder(sentenceTransformers.installation.id);
const LLAMA = peerFolder(llamaCpp.installation.id);
const hasPeers = [TRANSFORMERS, LLAMA].every((folder) => existsSync(pythonOf(folder)));
const note = hasPeers ? "" : " (skipped: `bun run bench:compare` installs the peers)";

const TIMEOUT_MS = 600_000;

const TEXTS = [
  "The weather is lovely today.",
  "It's so sunny outside, isn't it?",
  "He drove to the stadium and parked 12345 cars.",
  "Die Straßen von Köln sind über 2000 Jahre alt.",
  "Ångström naïve café résumé",
  "今日は天気がいいですね。",
  "Привет, мир! Как дела?",
  "emoji 🙂 and 👩‍👩‍👧 family",
  "a",
  "sun moon ".repeat(20),
  "  two  spaces   and a tab\there ",
  "one line\nand another\n\nand a third",
];
/** Where the tiny Unigram model has no rules, llama.cpp takes tabs and line breaks for letters. */
const WITHOUT_RULES = TEXTS.slice(0, 10);

interface Results {
  readonly [kind: string]: {
    readonly ids: readonly (readonly number[])[];
    readonly vectors: readonly (readonly number[])[];
  };
}

/** Seconds of PyTorch, once for each version of the script and of the texts. */
async function makeCheckpoints(): Promise<{ folder: string; results: Results }> {
  const recipe = Bun.hash((await Bun.file(SCRIPT).text()) + JSON.stringify(TEXTS));
  const folder = join(CACHE, "checkpoints", recipe.toString(36));
  const results = await ensureFile(join(folder, "results.json"), async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const texts = join(folder, "texts.json");
    await Bun.write(texts, JSON.stringify(TEXTS));
    const command = [pythonOf(TRANSFORMERS), SCRIPT, folder, texts, GEMMA_TOKENIZER];
    const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "pipe"] });
    const said = await child.stderr.text();
    if ((await child.exited) !== 0) throw new Error(said);
  });
  return { folder, results: await Bun.file(results).json() };
}

interface Kind {
  readonly kind: string;
  /** Ours against float64, of the F32 file. */
  readonly ours: Distance;
  /** llama.cpp's largest difference: its attention is of float16, and so is its table of GELU. */
  readonly llamaMax: number;
  readonly llamaTexts: readonly string[];
}

const BERT = { max: 2e-5, rms: 5e-6 };
const ROTARY = { max: 1e-5, rms: 2e-6 };
const KINDS: readonly Kind[] = [
  { kind: "bert-mean", ours: BERT, llamaMax: 1e-3, llamaTexts: TEXTS },
  { kind: "bert-wide", ours: BERT, llamaMax: 1e-3, llamaTexts: TEXTS },
  { kind: "bert-cls", ours: BERT, llamaMax: 1e-3, llamaTexts: TEXTS },
  { kind: "nomic-bert", ours: ROTARY, llamaMax: 1e-3, llamaTexts: TEXTS },
  { kind: "gemma-embedding", ours: BERT, llamaMax: 1e-3, llamaTexts: TEXTS },
  { kind: "bert-unigram", ours: BERT, llamaMax: 1e-3, llamaTexts: WITHOUT_RULES },
  { kind: "xlm-roberta", ours: BERT, llamaMax: 1e-3, llamaTexts: WITHOUT_RULES },
  { kind: "qwen3", ours: ROTARY, llamaMax: 1e-3, llamaTexts: TEXTS },
];

const doubles = (vectors: readonly (readonly number[])[]) =>
  vectors.map((vector) => Float64Array.from(vector));

/** Vectors by llama.cpp, from texts: by its own tokenizer. */
async function embedWithLlama(model: string, texts: readonly string[]): Promise<Float32Array[]> {
  const env = { PEER_NAME: "llama.cpp", PEER_BUILD: "", PYTHONDONTWRITEBYTECODE: "1" };
  await using worker = await Worker.start({ command: llamaCpp.command(LLAMA), env });
  const loading = worker.ready.loadings[0]!;
  const { vectors } = await worker.ask("once", { model, threads: 1, texts, loading });
  return vectors.map((vector) => new Float32Array(Uint8Array.fromBase64(vector).buffer));
}

describe.skipIf(!hasPeers)(`checkpoints of transformers${note}`, () => {
  test.each(KINDS)(
    "$kind: ids and vectors of the reference, and llama.cpp agrees",
    async ({ kind, ours, llamaMax, llamaTexts }) => {
      const { folder, results } = await makeCheckpoints();
      const { ids, vectors } = results[kind]!;
      await using temporary = await temporaryFolder();
      const path = join(temporary.path, `${kind}.gguf`);
      const { warnings } = await convert(join(folder, kind), path, { type: "F32" });
      expect(warnings).toEqual([]);
      await using model = await open(path);
      expect(TEXTS.map((text) => [...model.tokenize(text)])).toEqual(ids.map((each) => [...each]));
      const found = (await model.embed(TEXTS)).map(({ embedding }) => embedding);
      const { max, rms } = distance(found, doubles(vectors));
      expect(max).toBeLessThanOrEqual(ours.max);
      expect(rms).toBeLessThanOrEqual(ours.rms);
      const theirs = await embedWithLlama(path, llamaTexts);
      const expected = doubles(vectors).slice(0, llamaTexts.length);
      expect(distance(theirs, expected).max).toBeLessThanOrEqual(llamaMax);
    },
    TIMEOUT_MS,
  );

  test.each(QUANTIZE_TYPES)(
    "bert-wide in %s: llama.cpp loads it, and is as near as the format lets it",
    async (type) => {
      const { folder, results } = await makeCheckpoints();
      await using temporary = await temporaryFolder();
      const path = join(temporary.path, "model.gguf");
      await convert(join(folder, "bert-wide"), path, { type });
      const expected = doubles(results["bert-wide"]!.vectors);
      const theirs = distance(await embedWithLlama(path, TEXTS), expected);
      await using model = await open(path);
      const found = (await model.embed(TEXTS)).map(({ embedding }) => embedding);
      // With so few texts of so small a model, chance moves both by some percent.
      expect(distance(found, expected).rms).toBeLessThanOrEqual(1.05 * theirs.rms);
      expect(theirs.rms).toBeLessThanOrEqual(0.02);
    },
    TIMEOUT_MS,
  );
});
