import type { GgmlTypeName, GgufFile } from "../gguf/types.ts";
import type { Plan, Pooling, Precision } from "./plan.ts";

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
  /** Width of the embedding before `dimensions` cuts it; of each token's with pooling `"none"`. */
  readonly embeddingSize: number;
  /** Transformer layers. */
  readonly layerCount: number;
  /** Tokens of the vocabulary. */
  readonly vocabSize: number;
  /** Format of most of the weights, by elements: how exact the vectors can be. */
  readonly weightType: GgmlTypeName;
  /** The file's, or that of `OpenOptions.pooling`. */
  readonly pooling: Pooling;
  /** As `OpenOptions.precision` asks. */
  readonly precision: Precision;
  /** Whether the vector before `dimensions` is normalised by default. */
  readonly normalize: boolean;
  /** What looks wrong in the file without stopping it from running; sentences for a person. */
  readonly warnings: readonly string[];
}

export interface Model {
  readonly config: ModelConfig;
  readonly plan: Plan;
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
