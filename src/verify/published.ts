import type { ModelConfig } from "../arch/types.ts";
import type { GgmlTypeName } from "../gguf/types.ts";
import { comparableName } from "../model-name.ts";

/** A text, with the task whose prompt it was published with. */
export interface PublishedText {
  /** Without the prompt. */
  readonly text: string;
  /** As in `EmbedOptions.task`. */
  readonly task?: string;
}

/** A cosine similarity that a model's authors have published. */
export interface PublishedFigure {
  /** One text. */
  readonly a: PublishedText;
  /** The other. */
  readonly b: PublishedText;
  /** Of their vectors, -1 to 1. */
  readonly similarity: number;
}

export interface PublishedModel {
  readonly name: string;
  /** Where the figures stand. */
  readonly source: string;
  readonly architecture: string;
  /** Fine-tuned models have the same shape and other figures: the name must fit as well. */
  readonly names: RegExp;
  readonly shape: Pick<ModelConfig, "layerCount" | "hiddenSize" | "vocabSize">;
  readonly figures: readonly PublishedFigure[];
}

const PLANET_QUESTION = { text: "Which planet is known as the Red Planet?", task: "query" };
const PLANET_FACTS: readonly (readonly [document: string, similarity: number])[] = [
  ["Venus is often called Earth's twin because of its similar size and proximity.", 0.3011],
  ["Mars, known for its reddish appearance, is often referred to as the Red Planet.", 0.6359],
  ["Jupiter, the largest planet in our solar system, has a prominent red spot.", 0.493],
  ["Saturn, famous for its rings, is sometimes mistaken for the Red Planet.", 0.4889],
];

const WEATHER = { text: "The weather is lovely today." };

/** Models whose authors publish similarities that prompts, tokenizer and weights must reproduce. */
const PUBLISHED_MODELS: readonly PublishedModel[] = [
  {
    name: "EmbeddingGemma 300M",
    source: "model card of google/embeddinggemma-300m",
    architecture: "gemma-embedding",
    names: /^(google-)?embeddinggemma-300m/,
    shape: { layerCount: 24, hiddenSize: 768, vocabSize: 262144 },
    figures: PLANET_FACTS.map(([text, similarity]) => ({
      a: PLANET_QUESTION,
      b: { text, task: "document" },
      similarity,
    })),
  },
  {
    name: "all-MiniLM-L6-v2",
    source: "model card of sentence-transformers/all-MiniLM-L6-v2",
    architecture: "bert",
    // Converters also write the name of the checkpoint that it was trained from.
    names: /all-minilm-l6-v2|^minilm-l6-h384-uncased$/,
    shape: { layerCount: 6, hiddenSize: 384, vocabSize: 30522 },
    figures: [
      { a: WEATHER, b: { text: "It's so sunny outside!" }, similarity: 0.666 },
      { a: WEATHER, b: { text: "He drove to the stadium." }, similarity: 0.1046 },
    ],
  },
];

/** The published model that an open one is, as far as its name and shape tell. */
export function findPublished(config: ModelConfig): PublishedModel | undefined {
  return PUBLISHED_MODELS.find(
    ({ architecture, names, shape }) =>
      architecture === config.architecture &&
      names.test(comparableName(config.name)) &&
      shape.layerCount === config.layerCount &&
      shape.hiddenSize === config.hiddenSize &&
      shape.vocabSize === config.vocabSize,
  );
}

/** Float weights reproduce a figure to its third place. */
const TOLERANCE_FLOAT = 0.0005;
/**
 * How far quantisation moves a similarity, several times over: at an rms error of 0.0019 a
 * component (all-MiniLM-L6-v2 in Q8_0) one of 384 components moves by about 0.003. A missing
 * dense layer or a wrong pooling moves it by ten times as much.
 */
const TOLERANCE_BY_TYPE: Partial<Record<GgmlTypeName, number>> = {
  F32: TOLERANCE_FLOAT,
  F16: 2 * TOLERANCE_FLOAT,
  BF16: 0.005,
  Q8_0: 0.01,
};
const TOLERANCE_FEW_BITS = 0.04;

/** How far a similarity may lie from the published one, for weights mostly of that type. */
export function toleranceFor(type: GgmlTypeName): number {
  return TOLERANCE_BY_TYPE[type] ?? TOLERANCE_FEW_BITS;
}
