import { describe, expect, test } from "bun:test";
import type { MetadataEntry } from "../../src/gguf/types.ts";
import * as value from "../../src/gguf/values.ts";
import { modelWarnings } from "../../src/gguf/warnings.ts";
import { thrown } from "./rejection.ts";
import { sampleFile } from "./samples.ts";

type Change = Readonly<Record<string, MetadataEntry | undefined>>;

const GEMMA: Change = {
  "general.architecture": value.string("gemma-embedding"),
  "gemma-embedding.attention.sliding_window": value.uint32(512),
  "gemma-embedding.pooling_type": value.uint32(1),
  "tokenizer.ggml.model": value.string("llama"),
  "tokenizer.ggml.add_bos_token": value.bool(true),
  "tokenizer.ggml.add_eos_token": value.bool(true),
};

const QWEN: Change = {
  "general.architecture": value.string("qwen3"),
  "qwen3.pooling_type": value.uint32(3),
  "tokenizer.ggml.model": value.string("gpt2"),
  "tokenizer.ggml.add_bos_token": value.bool(false),
  "tokenizer.ggml.add_eos_token": value.bool(true),
};

const BGE: Change = {
  "general.architecture": value.string("bert"),
  "general.name": value.string("Bge Small En v1.5"),
  "bert.pooling_type": value.uint32(2),
  "tokenizer.ggml.model": value.string("bert"),
  "tokenizer.ggml.add_bos_token": value.bool(true),
  "tokenizer.ggml.add_eos_token": value.bool(true),
};

const TENSORS = ["token_embd.weight", "dense_2.weight", "dense_3.weight"];

/** The warnings for a file like `base` but for `change`. */
function warningsOf(base: Change, change: Change = {}, tensors = TENSORS): string[] {
  const entries = Object.entries({ ...base, ...change }).flatMap(([key, entry]) =>
    entry === undefined ? [] : [[key, entry] as const],
  );
  const table = tensors.map((name) => ({ name, type: "F32", shape: [1] }) as const);
  return modelWarnings(sampleFile(Object.fromEntries(entries), table));
}

test("files as they should be give none", () => {
  expect(warningsOf(GEMMA)).toEqual([]);
  expect(warningsOf(QWEN)).toEqual([]);
  expect(warningsOf(BGE)).toEqual([]);
  expect(
    warningsOf(GEMMA, { "gemma-embedding.attention.sliding_window": value.uint32(16) }),
  ).toEqual([]);
});

type Case = readonly [name: string, warnings: readonly string[], parts: readonly string[]];

const CASES: readonly Case[] = [
  [
    "no dense layers",
    warningsOf(GEMMA, {}, ["token_embd.weight"]),
    [
      "lacks dense_2.weight and dense_3.weight (1 tensors instead of 3)",
      "last layers of the model",
    ],
  ],
  [
    "one dense layer",
    warningsOf(GEMMA, {}, ["token_embd.weight", "dense_2.weight"]),
    ["lacks dense_3.weight (2 tensors instead of 3)"],
  ],
  ...[9, 256, 257, 258].map(
    (window): Case => [
      `a window of ${window}`,
      warningsOf(GEMMA, { "gemma-embedding.attention.sliding_window": value.uint32(window) }),
      [`gemma-embedding.attention.sliding_window is ${window}`, `${window >> 1} tokens`],
    ],
  ),
  [
    "no pooling",
    warningsOf(GEMMA, { "gemma-embedding.pooling_type": undefined }),
    ["gemma-embedding.pooling_type is missing", "mean pooling is assumed"],
  ],
  [
    "another pooling than EmbeddingGemma's",
    warningsOf(GEMMA, { "gemma-embedding.pooling_type": value.uint32(2) }),
    ["gemma-embedding.pooling_type is 2 (cls)", "mean"],
  ],
  [
    "another pooling than that of a family known by its name",
    warningsOf(QWEN, {
      "general.name": value.string("Qwen3 Embedding 0.6b"),
      "qwen3.pooling_type": value.uint32(1),
    }),
    ["qwen3.pooling_type is 1 (mean)", "Qwen3-Embedding was trained with last-token pooling"],
  ],
  [
    "no pooling, of a family known by its name",
    warningsOf(BGE, { "bert.pooling_type": undefined }),
    ["bert.pooling_type is missing: CLS pooling is assumed, with which bge (English) was trained"],
  ],
  [
    "last-token pooling without an end-of-text token",
    warningsOf(QWEN, { "tokenizer.ggml.add_eos_token": undefined }),
    ["qwen3.pooling_type is 3 (last)", "tokenizer.ggml.add_eos_token is not true"],
  ],
  [
    "no BOS flag",
    warningsOf(GEMMA, { "tokenizer.ggml.add_bos_token": undefined }),
    ["tokenizer.ggml.add_bos_token is missing"],
  ],
  [
    "an EOS flag that is off",
    warningsOf(GEMMA, { "tokenizer.ggml.add_eos_token": value.bool(false) }),
    ["tokenizer.ggml.add_eos_token is false"],
  ],
  [
    "no tokenizer",
    warningsOf(GEMMA, { "tokenizer.ggml.model": undefined }),
    ["tokenizer.ggml.model is missing"],
  ],
  ["a vocabulary alone", warningsOf(GEMMA, {}, []), ["no tensors: it can tokenize, but not embed"]],
];

describe("one warning, and no other, for", () => {
  for (const [name, warnings, parts] of CASES) {
    test(name, () => {
      expect(warnings).toHaveLength(1);
      for (const part of parts) expect(warnings[0]).toContain(part);
    });
  }
});

test("a key of another type is an error that names it", () => {
  const { code, message } = thrown(() => {
    warningsOf(GEMMA, { "gemma-embedding.pooling_type": value.string("mean") });
  });
  expect(code).toBe("BAD_MODEL");
  expect(message).toContain('metadata key "gemma-embedding.pooling_type"');
});
