/** What is compared: the texts, with whom, and what is asked. */
import { ensureMiniLM } from "../../scripts/models.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import { openTokenizer } from "../../src/index.ts";
import { type Language, makeLongText } from "../languages.ts";
import { makeTexts, makeTextsOfTokens } from "../texts.ts";
import type { ModelName } from "./check.ts";
import { atLeast, atMost, type Bar } from "./figures.ts";

export type Kind =
  /** Texts in one call, tokens a second. */
  | "batch"
  /** One text a call, many calls: how long, and how evenly. */
  | "single"
  /** From opening to the first vector in a fresh process. */
  | "open"
  /** Peak resident memory of a fresh process. */
  | "memory"
  /** Long texts to ids, bytes a second. */
  | "tokenize"
  /** More threads, next to a loop that only computes. */
  | "scaling"
  /** Multiply-adds a second, next to what the CPU's own instruction does at most. */
  | "peak"
  /** Share of the threads' time that is spent computing. */
  | "kernels"
  /** Errors, and what high precision costs. */
  | "precision";

export interface Case {
  readonly id: string;
  readonly title: string;
  readonly kind: Kind;
  readonly model: ModelName;
  readonly texts: readonly string[];
  /** Token ids of the texts, special tokens included. */
  readonly ids: readonly (readonly number[])[];
  readonly tokens: number;
  /**
   * Who is compared, and what is asked: so many times the peer's speed; of memory, at most such a
   * share of its. Null where nothing is asked.
   */
  readonly peers: Readonly<Record<string, number | null>>;
  /** What is asked of ours besides, by what its kind measures. */
  readonly bars: Readonly<Partial<Record<OwnBar, Bar>>>;
}

export type OwnBar =
  | "bytes"
  | "evenness"
  | "scaling"
  | "peak"
  | "kernels"
  | "rms"
  | "high"
  | "cost";

export type Size = "full" | "tiny";

interface Recipe extends Pick<Case, "id" | "title" | "kind" | "model">, Partial<Asked> {
  readonly texts: Texts;
}

type Asked = Pick<Case, "peers" | "bars">;

type Texts =
  | {
      readonly count: number;
      /** Mean words a text. */
      readonly words: number;
    }
  | {
      readonly count: number;
      /** Exactly so many each. */
      readonly tokens: number;
    }
  | {
      readonly language: Language;
      readonly bytes: number;
    };

export const LLAMA = "llama.cpp";
export const LLAMA_AMX = "llama.cpp with AMX";
const NODE_LLAMA = "node-llama-cpp";

const SHORT_BATCH: Texts = { count: 64, words: 8.7 };
const USUAL_BATCH: Texts = { count: 64, words: 24 };
const SHORT_TEXT: Texts = { count: 1, tokens: 11 };

function tokenizing(language: Language): Recipe {
  return {
    id: `tokenize-${language.toLowerCase()}`,
    title: `Gemma's tokenizer, 100 KB of ${language}, 1 thread`,
    kind: "tokenize",
    model: "gemma",
    texts: { language, bytes: 100_000 },
    peers: { tokenizers: 1 },
  };
}

const RECIPES: readonly Recipe[] = [
  {
    id: "gemma-64x11",
    title: "EmbeddingGemma, 64 texts of about 11 tokens",
    kind: "batch",
    model: "gemma",
    texts: SHORT_BATCH,
    peers: { [LLAMA]: 8, [LLAMA_AMX]: 3.5, [NODE_LLAMA]: null },
  },
  {
    id: "gemma-64x28",
    title: "EmbeddingGemma, 64 texts of about 28 tokens",
    kind: "batch",
    model: "gemma",
    texts: USUAL_BATCH,
    peers: { [LLAMA]: 8, [LLAMA_AMX]: 3.5 },
  },
  {
    id: "gemma-8x512",
    title: "EmbeddingGemma, 8 texts of 512 tokens",
    kind: "batch",
    model: "gemma",
    texts: { count: 8, tokens: 512 },
    peers: { [LLAMA]: 5, [LLAMA_AMX]: 3 },
  },
  {
    id: "gemma-single",
    title: "EmbeddingGemma, one text of 11 tokens",
    kind: "single",
    model: "gemma",
    texts: SHORT_TEXT,
    peers: { [LLAMA]: 4, [LLAMA_AMX]: 2, [NODE_LLAMA]: null },
    bars: { evenness: atMost(1.1) },
  },
  {
    id: "gemma-open",
    title: "EmbeddingGemma, from opening to the first vector",
    kind: "open",
    model: "gemma",
    texts: SHORT_TEXT,
    peers: { [LLAMA]: 10, [LLAMA_AMX]: 10 },
  },
  {
    id: "gemma-memory",
    title: "EmbeddingGemma, 64 texts of about 11 tokens in a fresh process",
    kind: "memory",
    model: "gemma",
    texts: SHORT_BATCH,
    peers: { [LLAMA]: 0.5, [LLAMA_AMX]: 0.5 },
    bars: { bytes: atMost(200e6) },
  },
  {
    id: "gemma-scaling",
    title: "EmbeddingGemma, 64 texts of about 28 tokens",
    kind: "scaling",
    model: "gemma",
    texts: USUAL_BATCH,
    bars: { scaling: atLeast(0.95) },
  },
  {
    id: "gemma-peak",
    title: "EmbeddingGemma, 64 texts of about 28 tokens",
    kind: "peak",
    model: "gemma",
    texts: USUAL_BATCH,
    bars: { peak: atLeast(0.6) },
  },
  {
    id: "gemma-kernels",
    title: "EmbeddingGemma, 32 texts of about 28 tokens",
    kind: "kernels",
    model: "gemma",
    texts: { count: 32, words: 24 },
    bars: { kernels: atLeast(0.95) },
  },
  {
    id: "minilm-256x14",
    title: "MiniLM, 256 texts of about 14 tokens",
    kind: "batch",
    model: "minilm",
    texts: { count: 256, words: 11.5 },
    peers: { [LLAMA]: 6, "ONNX Runtime": 4, "sentence-transformers": 4 },
  },
  tokenizing("English"),
  tokenizing("Chinese"),
  tokenizing("code"),
  {
    id: "gemma-precision",
    title: "EmbeddingGemma, 64 texts of about 28 tokens",
    kind: "precision",
    model: "gemma",
    texts: USUAL_BATCH,
    bars: { rms: atMost(0.0015), high: atMost(1e-5), cost: atMost(2.2) },
  },
];

export const CASE_IDS = RECIPES.map(({ id }) => id);

/** The file of a model; the tiny size makes do with a small one. */
export function modelPath(model: ModelName, size: Size): Promise<string> {
  if (model === "minilm") return ensureMiniLM();
  return ensureSynth(size === "tiny" ? "mini" : "full");
}

export interface CaseOptions {
  readonly size: Size;
  readonly seed: number;
  /** Long texts of a case: each is met for the first time when its time is taken. */
  readonly longTexts: number;
}

/** The cases of these ids, with texts from the seed. */
export async function makeCases(ids: readonly string[], options: CaseOptions): Promise<Case[]> {
  const recipes = RECIPES.filter(({ id }) => ids.includes(id));
  return await Promise.all(recipes.map((recipe) => makeCase(recipe, options)));
}

async function makeCase(recipe: Recipe, options: CaseOptions): Promise<Case> {
  const tokenizer = await openTokenizer(await modelPath(recipe.model, options.size));
  const encode = (text: string) => [
    ...tokenizer.prefix,
    ...tokenizer.encode(text),
    ...tokenizer.suffix,
  ];
  const texts = textsOf(recipe.texts, options, (text) => encode(text).length);
  const ids = texts.map(encode);
  const { peers = {}, bars = {} } = recipe;
  return {
    ...recipe,
    peers,
    bars,
    texts,
    ids,
    tokens: ids.reduce((sum, each) => sum + each.length, 0),
  };
}

function textsOf(
  texts: Texts,
  { size, seed, longTexts }: CaseOptions,
  countTokens: (text: string) => number,
): string[] {
  const isTiny = size === "tiny";
  if ("language" in texts) {
    const bytes = isTiny ? 1_000 : texts.bytes;
    return Array.from({ length: longTexts }, (_, i) =>
      makeLongText(texts.language, bytes, seed + i),
    );
  }
  const count = isTiny ? Math.min(texts.count, 4) : texts.count;
  if ("words" in texts) return makeTexts(count, texts.words, seed);
  return makeTextsOfTokens(count, texts.tokens, seed, countTokens);
}
