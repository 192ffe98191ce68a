/** What is compared: the texts, and how their time is taken. */
import { ensureMiniLM } from "../../scripts/models.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import { openTokenizer } from "../../src/index.ts";
import { makeTexts, makeTextsOfTokens } from "../texts.ts";
import type { ModelName } from "./check.ts";

export type Kind =
  /** Texts in one call, tokens a second. */
  | "batch"
  /** One text a call, many calls: how long, and how evenly. */
  | "single"
  /** From opening to the first vector in a fresh process. */
  | "open"
  /** Peak resident memory of a fresh process. */
  | "memory";

export interface Case {
  readonly id: string;
  readonly title: string;
  readonly kind: Kind;
  readonly model: ModelName;
  readonly texts: readonly string[];
  /** Token ids of the texts, special tokens included. */
  readonly ids: readonly (readonly number[])[];
  readonly tokens: number;
  /** What is asked: so many times the peer's speed; of memory, at most such a share of its. */
  readonly bars: Readonly<Record<string, number>>;
}

export type Size = "full" | "quick" | "tiny";

interface Recipe extends Omit<Case, "texts" | "ids" | "tokens"> {
  readonly count: number;
  /** Mean words a text; or exactly so many tokens. */
  readonly words?: number;
  readonly tokensEach?: number;
}

export const LLAMA = "llama.cpp";
export const LLAMA_AMX = "llama.cpp with AMX";

const RECIPES: readonly Recipe[] = [
  {
    id: "gemma-64x11",
    title: "EmbeddingGemma, 64 texts of about 11 tokens",
    kind: "batch",
    model: "gemma",
    count: 64,
    words: 8.7,
    bars: { [LLAMA]: 8, [LLAMA_AMX]: 3.5 },
  },
  {
    id: "gemma-64x28",
    title: "EmbeddingGemma, 64 texts of about 28 tokens",
    kind: "batch",
    model: "gemma",
    count: 64,
    words: 24,
    bars: { [LLAMA]: 8, [LLAMA_AMX]: 3.5 },
  },
  {
    id: "gemma-8x512",
    title: "EmbeddingGemma, 8 texts of 512 tokens",
    kind: "batch",
    model: "gemma",
    count: 8,
    tokensEach: 512,
    bars: { [LLAMA]: 5, [LLAMA_AMX]: 3 },
  },
  {
    id: "gemma-single",
    title: "EmbeddingGemma, one text of 11 tokens",
    kind: "single",
    model: "gemma",
    count: 1,
    tokensEach: 11,
    bars: { [LLAMA]: 4, [LLAMA_AMX]: 2 },
  },
  {
    id: "gemma-open",
    title: "EmbeddingGemma, from opening to the first vector",
    kind: "open",
    model: "gemma",
    count: 1,
    tokensEach: 11,
    bars: { [LLAMA]: 10, [LLAMA_AMX]: 10 },
  },
  {
    id: "gemma-memory",
    title: "EmbeddingGemma, peak memory with 64 short texts",
    kind: "memory",
    model: "gemma",
    count: 64,
    words: 8.7,
    bars: { [LLAMA]: 0.5, [LLAMA_AMX]: 0.5 },
  },
  {
    id: "minilm-256x14",
    title: "MiniLM, 256 texts of about 14 tokens",
    kind: "batch",
    model: "minilm",
    count: 256,
    words: 11.5,
    bars: { [LLAMA]: 6, "ONNX Runtime": 4, "sentence-transformers": 4 },
  },
];

export const CASE_IDS = RECIPES.map(({ id }) => id);

/** The file of a model; the tiny size makes do with a small one. */
export function modelPath(model: ModelName, size: Size): Promise<string> {
  if (model === "minilm") return ensureMiniLM();
  return ensureSynth(size === "tiny" ? "mini" : "full");
}

/** The cases of these ids, with texts from the seed. */
export async function makeCases(ids: readonly string[], size: Size, seed: number): Promise<Case[]> {
  const recipes = RECIPES.filter(({ id }) => ids.includes(id));
  return await Promise.all(recipes.map((recipe) => makeCase(recipe, size, seed)));
}

async function makeCase(recipe: Recipe, size: Size, seed: number): Promise<Case> {
  const { count: countFull, words, tokensEach, ...rest } = recipe;
  const tokenizer = await openTokenizer(await modelPath(recipe.model, size));
  const encode = (text: string) => [
    ...tokenizer.prefix,
    ...tokenizer.encode(text),
    ...tokenizer.suffix,
  ];
  const count = size === "tiny" ? Math.min(countFull, 4) : countFull;
  const texts =
    tokensEach === undefined
      ? makeTexts(count, words ?? 1, seed)
      : makeTextsOfTokens(count, tokensEach, seed, (text) => encode(text).length);
  const ids = texts.map(encode);
  return { ...rest, texts, ids, tokens: ids.reduce((sum, each) => sum + each.length, 0) };
}
