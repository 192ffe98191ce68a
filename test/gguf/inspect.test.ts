import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { MetadataEntry } from "../../src/gguf/types.ts";
import * as value from "../../src/gguf/values.ts";
import { writeGguf } from "../../src/gguf/writer.ts";
import { type Inspection, inspect } from "../../src/inspect.ts";
import { formatInspection } from "../../src/inspect-format.ts";
import { freshFolder } from "../fresh-folder.ts";
import { makeTinyModel, TINY_GEMMA } from "../reference/tiny.ts";
import { rejection } from "./rejection.ts";
import { asMap, sampleTensor } from "./samples.ts";

const folder = freshFolder();

const HIDDEN = 32;

const METADATA = {
  "general.architecture": value.string("bert"),
  "general.name": value.string("Tiny"),
  "bert.context_length": value.uint32(64),
  "bert.embedding_length": value.uint32(HIDDEN),
  "bert.feed_forward_length": value.uint32(HIDDEN),
  "bert.block_count": value.uint32(0),
  "bert.attention.head_count": value.uint32(4),
  "bert.attention.layer_norm_epsilon": value.float32(1e-12),
  "bert.pooling_type": value.uint32(2),
  "tokenizer.ggml.model": value.string("bert"),
  "tokenizer.ggml.tokens": value.strings(["[CLS]", "[SEP]", "▁a"]),
  "tokenizer.ggml.bos_token_id": value.uint32(0),
  "tokenizer.ggml.eos_token_id": value.uint32(1),
  "tokenizer.ggml.add_bos_token": value.bool(true),
  "tokenizer.ggml.normalizer.lowercase": value.bool(true),
};

const TENSORS = [
  sampleTensor({ name: "token_embd.weight", type: "Q8_0", shape: [HIDDEN, 3] }),
  sampleTensor({ name: "position_embd.weight", type: "F32", shape: [HIDDEN, 64] }),
  sampleTensor({ name: "token_embd_norm.weight", type: "F32", shape: [HIDDEN] }),
];

/** The inspection of a written file. */
async function inspectSample(
  change: Readonly<Record<string, MetadataEntry>> = {},
  tensors = TENSORS,
): Promise<Inspection> {
  const path = join(folder.path, "tiny.gguf");
  await writeGguf(path, asMap({ ...METADATA, ...change }), tensors);
  return { ...(await inspect(path)), path: "tiny.gguf" };
}

describe("an inspection", () => {
  test("tells what the header holds, and goes through JSON unchanged", async () => {
    const inspection = await inspectSample();
    expect(inspection).toMatchObject({
      ggufVersion: 3,
      architecture: "bert",
      name: "Tiny",
      parameterCount: HIDDEN * (3 + 64 + 1),
      tensorCount: 3,
      formats: [
        { type: "F32", tensorCount: 2, parameterCount: HIDDEN * 65, bytes: HIDDEN * 65 * 4 },
        { type: "Q8_0", tensorCount: 1, parameterCount: HIDDEN * 3, bytes: 34 * 3 },
      ],
      contextLength: 64,
      hiddenSize: HIDDEN,
      headCount: 4,
      headCountKv: 4,
      slidingWindow: null,
      pooling: "cls",
      tasks: [],
      tokenizer: {
        model: "bert",
        pre: null,
        vocabSize: 3,
        bos: { id: 0, text: "[CLS]", added: true },
        eos: { id: 1, text: "[SEP]", added: null },
        flags: { "normalizer.lowercase": true },
      },
    });
    expect(inspection.fileSize).toBeGreaterThan(HIDDEN * 65 * 4 + 34 * 3);
    expect(inspection.warnings).toHaveLength(1);
    expect(inspection.warnings[0]).toContain("add_eos_token is missing");
    expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
  });

  test("of a model that runs: no problem, its tasks, and what looks wrong", async () => {
    const path = join(folder.path, "gemma.gguf");
    await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0", dense: false }, path);
    const { problem, embeddingSize, tasks, slidingWindow, warnings } = await inspect(path);
    expect(problem).toBeNull();
    expect(embeddingSize).toBe(TINY_GEMMA.hidden);
    expect(tasks).toContain("fact_checking");
    expect(slidingWindow).toBe(TINY_GEMMA.window);
    expect(warnings.join("\n")).toContain("lacks dense_2.weight and dense_3.weight");
  });

  test("says why a well-formed file cannot run", async () => {
    const { problem, embeddingSize, warnings } = await inspectSample({
      "general.architecture": value.string("mamba"),
      "mamba.pooling_type": value.uint32(1),
    });
    expect(problem).toStartWith('the architecture is "mamba"');
    expect(embeddingSize).toBeNull();
    expect(warnings).toHaveLength(1);
  });

  test("says so where only the tokenizer is missing", async () => {
    const path = join(folder.path, "rwkv.gguf");
    const metadata = { "tokenizer.ggml.model": value.string("rwkv") };
    await makeTinyModel({ architecture: "bert", type: "F32", metadata }, path);
    const { problem } = await inspect(path);
    expect(problem).toStartWith('the tokenizer "rwkv" (tokenizer.ggml.model) is not supported');
  });

  test("keeps what it knows when a key has another type than it must have", async () => {
    const inspection = await inspectSample({ "bert.pooling_type": value.string("cls") });
    expect(inspection.pooling).toBeNull();
    expect(inspection.problem).toContain('"bert.pooling_type": expected a whole number');
    expect(inspection.hiddenSize).toBe(HIDDEN);
  });

  test("of a vocabulary alone, with ids outside of it", async () => {
    const change = { "tokenizer.ggml.bos_token_id": value.uint32(3) };
    const { tokenizer, tensorCount, formats, problem } = await inspectSample(change, []);
    expect(tokenizer?.bos).toEqual({ id: 3, text: null, added: true });
    expect([tensorCount, formats]).toEqual([0, []]);
    expect(problem).not.toBeNull();
  });

  test("is refused for what is no GGUF file", async () => {
    expect((await rejection(inspect(import.meta.path))).code).toBe("BAD_FILE");
    expect((await rejection(inspect("nowhere.gguf"))).code).toBe("FILE_NOT_FOUND");
  });
});

const FULL: Inspection = {
  path: "models/embeddinggemma.gguf",
  fileCount: 1,
  fileSize: 328_576_000,
  ggufVersion: 3,
  architecture: "gemma-embedding",
  name: "Embedding\u001b[31mGemma",
  parameterCount: 307_581_696,
  tensorCount: 316,
  formats: [
    { type: "Q8_0", tensorCount: 171, parameterCount: 307_500_000, bytes: 326_000_000 },
    { type: "F32", tensorCount: 1, parameterCount: 768, bytes: 999 },
  ],
  contextLength: 2048,
  hiddenSize: 768,
  embeddingSize: null,
  layerCount: 24,
  headCount: 3,
  headCountKv: 1,
  slidingWindow: 512,
  pooling: "mean",
  tokenizer: {
    model: "llama",
    pre: "default",
    vocabSize: 262_144,
    bos: { id: 2, text: "<bos>", added: true },
    eos: { id: 1, text: "<eos>", added: false },
    flags: { add_space_prefix: false },
  },
  tasks: ["query", "document"],
  problem: null,
  warnings: ["One.", "Two."],
};

test("people read one label and one value a line", () => {
  expect(formatInspection(FULL)).toBe(
    `
file            embeddinggemma.gguf
size            328.6 MB (GGUF version 3)
architecture    gemma-embedding
name            Embedding\\u001b[31mGemma
parameters      307,581,696 in 316 tensors
formats         Q8_0: 171 tensors, 326.0 MB
                F32: 1 tensor, 999 bytes
context         2,048 tokens
hidden size     768
embedding size  unknown
layers          24
heads           3 query, 1 key and value
window          512 tokens: 256 to each side
pooling         mean
tokenizer       llama (default), 262,144 tokens
flags           add_space_prefix: no
before a text   token 2 "<bos>"
after a text    nothing (token 1 "<eos>" is switched off)
tasks           query, document
runs here       yes
warnings        One.
                Two.
`.trimStart(),
  );
});

test("people read what is missing as well", () => {
  const nothing = formatInspection({
    ...FULL,
    tokenizer: null,
    slidingWindow: null,
    tasks: [],
    problem: "It is too old.",
    warnings: [],
  });
  expect(nothing).toContain("\ntokenizer       unknown\nbefore a text   unknown\n");
  expect(nothing).not.toContain("window");
  expect(nothing).toContain(
    "\ntasks           none known\nruns here       no. It is too old.\nwarnings        none\n",
  );
});
