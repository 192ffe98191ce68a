/**
 * Small seeded models of each architecture, whole with tokenizer, for tests that run everywhere.
 * The same options give the same bytes.
 */

import type { GgufFile, MetadataEntry } from "../../src/gguf/types.ts";
import { uint32 } from "../../src/gguf/values.ts";
import { writeGguf } from "../../src/gguf/writer.ts";
import type { BlockType } from "./blocks.ts";
import type { EncodedType } from "./encode.ts";
import { bertMetadata, gemmaMetadata, nomicBertMetadata, qwen3Metadata } from "./tiny-metadata.ts";
import {
  addBertTensors,
  addGemmaTensors,
  addHead,
  addNomicBertTensors,
  addQwen3Tensors,
  TinyTensors,
} from "./tiny-tensors.ts";
import {
  sentencePieceVocabulary,
  type TinyVocabulary,
  wordPieceVocabulary,
} from "./tiny-vocabulary.ts";

export const TINY_ARCHITECTURES = ["gemma-embedding", "bert", "nomic-bert", "qwen3"] as const;
export type TinyArchitecture = (typeof TINY_ARCHITECTURES)[number];

export interface TinyShape {
  readonly layers: number;
  readonly hidden: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly headsKv: number;
  readonly headSize: number;
  readonly context: number;
  /** Sliding window of the local layers. */
  readonly window: number;
}

export interface TinyOptions {
  readonly architecture: TinyArchitecture;
  /**
   * Type of the matrices and the token table; `"mixed"` goes through floats and Q8_0,
   * `"blocks"` through all block formats, in turn.
   */
  readonly type: EncodedType | BlockType | "mixed" | "blocks";
  readonly seed?: number;
  readonly shape?: Partial<TinyShape>;
  /** Whether a gemma-embedding model has its dense layers. Default true. */
  readonly dense?: boolean;
  /** Whether a bert model has one tensor for Q, K and V. Default false. */
  readonly fused?: boolean;
  /** Whether a nomic-bert model has biases in its products. Default false. */
  readonly biases?: boolean;
  /** Rows of a bert model's table of token types: XLM-RoBERTa has one. Default 2. */
  readonly tokenTypes?: number;
  /** Whether a bert or qwen3 model has a reranker's head, and says so. Default false. */
  readonly reranker?: boolean;
  /** Keys to add or replace; `undefined` leaves one out. */
  readonly metadata?: Readonly<Record<string, MetadataEntry | undefined>>;
}

/** Seven layers: the sixth sees the whole text. */
export const TINY_GEMMA: TinyShape = {
  layers: 7,
  hidden: 64,
  feedForward: 96,
  heads: 2,
  headsKv: 1,
  headSize: 32,
  context: 128,
  window: 8,
};

export const TINY_BERT: TinyShape = {
  layers: 3,
  hidden: 64,
  feedForward: 128,
  heads: 4,
  headsKv: 4,
  headSize: 16,
  context: 64,
  window: 0,
};

export const TINY_NOMIC_BERT: TinyShape = { ...TINY_BERT, feedForward: 96 };

/** Heads that are wider together than the hidden states, as in Qwen3 of 0.6B. */
export const TINY_QWEN3: TinyShape = {
  layers: 3,
  hidden: 64,
  feedForward: 96,
  heads: 4,
  headsKv: 2,
  headSize: 32,
  context: 128,
  window: 0,
};

/** Nothing is a multiple of 16: for float types only, since Q8_0 wants rows of whole blocks. */
export const ODD_SHAPE: Partial<TinyShape> = {
  layers: 2,
  hidden: 60,
  feedForward: 90,
  heads: 3,
  headSize: 20,
};

/** Rows of whole blocks of 256. */
export const WIDE_SHAPE: Partial<TinyShape> = {
  layers: 3,
  hidden: 256,
  feedForward: 256,
  headSize: 64,
  heads: 4,
};

interface Recipe {
  readonly shape: TinyShape;
  readonly vocabulary: () => TinyVocabulary;
  readonly metadata: (shape: TinyShape, options: TinyOptions) => Map<string, MetadataEntry>;
  readonly addTensors: (
    tensors: TinyTensors,
    shape: TinyShape,
    vocabSize: number,
    options: TinyOptions,
  ) => void;
}

const RECIPES: Readonly<Record<TinyArchitecture, Recipe>> = {
  "gemma-embedding": {
    shape: TINY_GEMMA,
    vocabulary: sentencePieceVocabulary,
    metadata: gemmaMetadata,
    addTensors: addGemmaTensors,
  },
  bert: {
    shape: TINY_BERT,
    vocabulary: wordPieceVocabulary,
    metadata: bertMetadata,
    addTensors: addBertTensors,
  },
  "nomic-bert": {
    shape: TINY_NOMIC_BERT,
    vocabulary: wordPieceVocabulary,
    metadata: nomicBertMetadata,
    addTensors: addNomicBertTensors,
  },
  // Architectures know no tokenizer: any will do.
  qwen3: {
    shape: TINY_QWEN3,
    vocabulary: wordPieceVocabulary,
    metadata: qwen3Metadata,
    addTensors: addQwen3Tensors,
  },
};

/** Writes the model and returns its parsed header. */
export async function makeTinyModel(options: TinyOptions, path: string): Promise<GgufFile> {
  const recipe = RECIPES[options.architecture];
  const vocabulary = recipe.vocabulary();
  const shape = { ...recipe.shape, ...options.shape };
  const metadata = recipe.metadata(shape, options);
  if (options.reranker) metadata.set(`${options.architecture}.pooling_type`, uint32(4));
  for (const [key, entry] of vocabulary.metadata) metadata.set(key, entry);
  for (const [key, entry] of Object.entries(options.metadata ?? {})) {
    if (entry === undefined) metadata.delete(key);
    else metadata.set(key, entry);
  }
  const tensors = new TinyTensors(options);
  recipe.addTensors(tensors, shape, vocabulary.size, options);
  if (options.reranker) addHead(tensors, shape, options);
  return writeGguf(path, metadata, tensors.sources);
}
