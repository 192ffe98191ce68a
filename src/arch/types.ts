import type { GgmlTypeName, GgufFile } from "../gguf/types.ts";
import type { ModelPooling, Plan, Pooling, Precision } from "./plan.ts";

/** What a model is, read from its metadata. */
export interface ModelConfig {
  /** `general.architecture`. */
  readonly architecture: string;
  /** `general.name`, or the file name. */
  readonly name: string;
  /** Longest text in tokens, special tokens included. */
  readonly contextLength: number;
  /** Width of the hidden states. */
  readonly hiddenSize: number;
  /**
   * Width of the embedding before `dimensions` cuts it; of each token's with pooling `"none"`. Of
   * a reranker, how many numbers it gives for a pair, before they become a score.
   */
  readonly embeddingSize: number;
  /** Transformer layers. */
  readonly layerCount: number;
  /** Tokens of the vocabulary. */
  readonly vocabSize: number;
  /** Format of most of the weights, by elements: how exact the vectors can be. */
  readonly weightType: GgmlTypeName;
  /** The file's, or that of `OpenOptions.pooling`; `"rank"` of a reranker. */
  readonly pooling: ModelPooling;
  /** As `OpenOptions.precision` asks. */
  readonly precision: Precision;
  /** Whether the vector before `dimensions` is normalised by default. */
  readonly normalize: boolean;
  /** What looks wrong in the file without stopping it from running; sentences for a person. */
  readonly warnings: readonly string[];
}

/**
 * What a reranker gives for a pair: a classifier's logit, or a language model's logits of "yes" and
 * "no", in this order.
 */
export type RerankerKind = "classifier" | "judge";

export interface Model {
  readonly config: ModelConfig;
  readonly plan: Plan;
  /** Of a reranker, whose pooling is `"rank"`. */
  readonly reranker?: RerankerKind;
}

export interface ArchitectureOptions {
  /** Overrides the pooling that the file states. */
  readonly pooling?: Pooling | undefined;
  /** Default `"default"`. */
  readonly precision?: Precision | undefined;
}

/**
 * One architecture: checks a file's metadata and tensors and writes the forward pass as a plan. It
 * knows neither tokenizers nor the native side.
 */
export interface Architecture {
  /** `general.architecture` in GGUF. */
  readonly name: string;
  /** Throws `BAD_MODEL` or `UNSUPPORTED`, naming the key or tensor and what was expected. */
  build(file: GgufFile, options?: ArchitectureOptions): Model;
}
