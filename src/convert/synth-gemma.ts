import assert from "node:assert/strict";
import { POOLING_TYPES } from "../gguf/pooling-type.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import type { TensorSource } from "../gguf/writer.ts";
import { FILE_TYPES } from "../quantize/types.ts";
import { KEY } from "../tokenizer/vocabulary.ts";
import type { GemmaVocabulary } from "./gemma-vocabulary.ts";
import type { GgufContent } from "./synth.ts";
import { attentionTensors, gatedTensors, type LayerShape, matrix, norm } from "./synth-tensors.ts";

const ARCHITECTURE = "gemma-embedding";

/** Sizes of a `gemma-embedding` model, under the names of its GGUF keys. */
export interface GemmaShape extends LayerShape {
  readonly contextLength: number;
  readonly layerCount: number;
  readonly slidingWindow: number;
  readonly vocabSize: number;
}

export const GEMMA_SHAPES = {
  /** EmbeddingGemma-300m itself. */
  full: {
    contextLength: 2048,
    layerCount: 24,
    hiddenSize: 768,
    ffnSize: 1152,
    headCount: 3,
    headCountKv: 1,
    headSize: 256,
    slidingWindow: 512,
    vocabSize: 262_144,
  },
  /** Every mechanism of the full model at a fiftieth of its size. */
  mini: {
    contextLength: 2048,
    layerCount: 6,
    hiddenSize: 256,
    ffnSize: 512,
    headCount: 2,
    headCountKv: 1,
    headSize: 128,
    slidingWindow: 16,
    vocabSize: 8192,
  },
} as const satisfies Record<string, GemmaShape>;

/** A model of that shape with made-up weights, and its vocabulary. */
export function syntheticGemma(shape: GemmaShape, vocabulary: GemmaVocabulary): GgufContent {
  assert(vocabulary.tokens.length === shape.vocabSize);
  return { metadata: metadata(shape, vocabulary), tensors: syntheticGemmaTensors(shape) };
}

/** Keys and their order as gguf-py writes them: the file is the same to the byte. */
function metadata(shape: GemmaShape, vocabulary: GemmaVocabulary): Map<string, MetadataEntry> {
  const { hiddenSize: hidden } = shape;
  return new Map([
    ["general.architecture", value.string(ARCHITECTURE)],
    ["general.name", value.string("synthetic EmbeddingGemma shape")],
    [`${ARCHITECTURE}.context_length`, value.uint32(shape.contextLength)],
    [`${ARCHITECTURE}.embedding_length`, value.uint32(hidden)],
    [`${ARCHITECTURE}.block_count`, value.uint32(shape.layerCount)],
    [`${ARCHITECTURE}.feed_forward_length`, value.uint32(shape.ffnSize)],
    [`${ARCHITECTURE}.attention.head_count`, value.uint32(shape.headCount)],
    [`${ARCHITECTURE}.attention.head_count_kv`, value.uint32(shape.headCountKv)],
    [`${ARCHITECTURE}.attention.layer_norm_rms_epsilon`, value.float32(1e-6)],
    [`${ARCHITECTURE}.attention.key_length`, value.uint32(shape.headSize)],
    [`${ARCHITECTURE}.attention.value_length`, value.uint32(shape.headSize)],
    [`${ARCHITECTURE}.rope.freq_base`, value.float32(1e6)],
    [`${ARCHITECTURE}.attention.sliding_window`, value.uint32(shape.slidingWindow)],
    ["general.file_type", value.uint32(FILE_TYPES.Q8_0.number)],
    [`${ARCHITECTURE}.pooling_type`, value.uint32(POOLING_TYPES.indexOf("mean"))],
    [`${ARCHITECTURE}.dense_2_feat_in`, value.uint32(hidden)],
    [`${ARCHITECTURE}.dense_2_feat_out`, value.uint32(4 * hidden)],
    [`${ARCHITECTURE}.dense_3_feat_in`, value.uint32(4 * hidden)],
    [`${ARCHITECTURE}.dense_3_feat_out`, value.uint32(hidden)],
    [KEY.MODEL, value.string("llama")],
    ["tokenizer.ggml.pre", value.string("default")],
    [KEY.TOKENS, value.strings(vocabulary.tokens)],
    [KEY.SCORES, value.numbers("float32", vocabulary.scores)],
    [KEY.TYPES, value.numbers("int32", vocabulary.types)],
    [KEY.BOS, value.uint32(2)],
    [KEY.EOS, value.uint32(1)],
    [KEY.UNKNOWN, value.uint32(3)],
    [KEY.PADDING, value.uint32(0)],
    [KEY.ADD_BOS, value.bool(true)],
    [KEY.ADD_EOS, value.bool(true)],
    [KEY.ADD_SPACE_PREFIX, value.bool(false)],
  ]);
}

/** Its tensors alone. */
export function syntheticGemmaTensors(shape: GemmaShape): TensorSource[] {
  const { hiddenSize: hidden } = shape;
  const after = { centre: 0.6, spread: 0.3 };
  const layer = (block: string) => [
    ...attentionTensors(block, shape),
    norm(`${block}post_attention_norm`, hidden, after),
    ...gatedTensors(block, shape),
    norm(`${block}post_ffw_norm`, hidden, after),
  ];
  return [
    matrix("token_embd", shape.vocabSize, hidden),
    norm("output_norm", hidden),
    ...Array.from({ length: shape.layerCount }, (_, n) => layer(`blk.${n}.`)).flat(),
    matrix("dense_2", 4 * hidden, hidden),
    matrix("dense_3", hidden, 4 * hidden),
  ];
}
