import { POOLING_TYPES } from "../gguf/pooling-type.ts";
import type { Metadata, MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import type { TensorSource } from "../gguf/writer.ts";
import { FILE_TYPES } from "../quantize/types.ts";
import { KEY } from "../tokenizer/vocabulary.ts";
import { type GgufContent, syntheticTable } from "./synth.ts";
import {
  attentionTensors,
  bias,
  gatedTensors,
  type LayerShape,
  matrix,
  norm,
} from "./synth-tensors.ts";

/** Sizes of a model, under the names of its GGUF keys; heads of queries, keys and values. */
export interface SynthShape extends LayerShape {
  readonly architecture: "bert" | "nomic-bert" | "qwen3";
  readonly contextLength: number;
  readonly layerCount: number;
}

/** What others than EmbeddingGemma cost to run, whoever has their weights. */
export const SYNTH_SHAPES = {
  "bge-small": {
    architecture: "bert",
    contextLength: 512,
    layerCount: 12,
    hiddenSize: 384,
    ffnSize: 1536,
    headCount: 12,
    headCountKv: 12,
    headSize: 32,
  },
  "nomic-embed-text": {
    architecture: "nomic-bert",
    contextLength: 2048,
    layerCount: 12,
    hiddenSize: 768,
    ffnSize: 3072,
    headCount: 12,
    headCountKv: 12,
    headSize: 64,
  },
  "qwen3-embedding-0.6b": {
    architecture: "qwen3",
    contextLength: 32_768,
    layerCount: 28,
    hiddenSize: 1024,
    ffnSize: 3072,
    headCount: 16,
    headCountKv: 8,
    headSize: 128,
  },
} as const satisfies Record<string, SynthShape>;

export type SynthShapeName = keyof typeof SYNTH_SHAPES;

/**
 * A model of that shape with made-up weights, Q8_0 in all matrices. Its vocabulary is that of
 * another file, and the embedding table has as many rows.
 */
export function syntheticModel(name: string, shape: SynthShape, vocabulary: Metadata): GgufContent {
  const vocabSize = vocabulary.requireStrings(KEY.TOKENS).length;
  const layers = Array.from({ length: shape.layerCount }, (_, n) => `blk.${n}.`);
  const tensors =
    shape.architecture === "qwen3"
      ? qwen3Tensors(shape, layers, vocabSize)
      : encoderTensors(shape, layers, vocabSize, tokenTypeCountOf(vocabulary));
  const tokenizer = [...vocabulary.entries].filter(([key]) => key.startsWith("tokenizer."));
  const own = { qwen3: qwen3Entries, bert: encoderEntries, "nomic-bert": nomicEntries };
  const entries = {
    context_length: value.uint32(shape.contextLength),
    embedding_length: value.uint32(shape.hiddenSize),
    block_count: value.uint32(shape.layerCount),
    feed_forward_length: value.uint32(shape.ffnSize),
    "attention.head_count": value.uint32(shape.headCount),
    ...own[shape.architecture](shape),
  };
  const prefixed = Object.entries<MetadataEntry>(entries).map(
    ([key, entry]) => [`${shape.architecture}.${key}`, entry] as const,
  );
  const metadata = new Map<string, MetadataEntry>([
    ["general.architecture", value.string(shape.architecture)],
    ["general.name", value.string(`synthetic ${name} shape`)],
    ["general.file_type", value.uint32(FILE_TYPES.Q8_0.number)],
    ...prefixed,
    ...tokenizer,
  ]);
  return { metadata, tensors };
}

/** BERT's, unless the tokenizer's keys say another: llama.cpp holds the table to it. */
function tokenTypeCountOf(vocabulary: Metadata): number {
  return vocabulary.getCount("tokenizer.ggml.token_type_count") ?? 2;
}

function encoderEntries() {
  return {
    "attention.layer_norm_epsilon": value.float32(1e-12),
    "attention.causal": value.bool(false),
    pooling_type: value.uint32(POOLING_TYPES.indexOf("mean")),
  };
}

function nomicEntries() {
  return { ...encoderEntries(), "rope.freq_base": value.float32(1000) };
}

function qwen3Entries({ headCountKv, headSize }: SynthShape) {
  return {
    "attention.head_count_kv": value.uint32(headCountKv),
    "attention.key_length": value.uint32(headSize),
    "attention.value_length": value.uint32(headSize),
    "attention.layer_norm_rms_epsilon": value.float32(1e-6),
    "rope.freq_base": value.float32(1e6),
    pooling_type: value.uint32(POOLING_TYPES.indexOf("last")),
  };
}

function encoderTensors(
  { architecture, hiddenSize: hidden, ffnSize: ffn, contextLength }: SynthShape,
  layers: readonly string[],
  vocabSize: number,
  tokenTypeCount: number,
): TensorSource[] {
  const isBert = architecture === "bert";
  const product = (name: string, rows: number, columns: number) =>
    isBert ? [matrix(name, rows, columns), bias(name, rows)] : [matrix(name, rows, columns)];
  const layerNorm = (name: string) => [norm(name, hidden, { outliers: 2 }), bias(name, hidden)];
  const layer = (block: string) => [
    ...(isBert
      ? ["q", "k", "v"].flatMap((part) => product(`${block}attn_${part}`, hidden, hidden))
      : product(`${block}attn_qkv`, 3 * hidden, hidden)),
    ...product(`${block}attn_output`, hidden, hidden),
    ...layerNorm(`${block}attn_output_norm`),
    ...(isBert ? [] : product(`${block}ffn_gate`, ffn, hidden)),
    ...product(`${block}ffn_up`, ffn, hidden),
    ...product(`${block}ffn_down`, hidden, ffn),
    ...layerNorm(`${block}layer_output_norm`),
  ];
  return [
    matrix("token_embd", vocabSize, hidden),
    ...(isBert ? [syntheticTable("position_embd.weight", contextLength, hidden)] : []),
    syntheticTable("token_types.weight", tokenTypeCount, hidden),
    ...layerNorm("token_embd_norm"),
    ...layers.flatMap(layer),
  ];
}

function qwen3Tensors(
  shape: SynthShape,
  layers: readonly string[],
  vocabSize: number,
): TensorSource[] {
  const { hiddenSize: hidden } = shape;
  const layer = (block: string) => [
    ...attentionTensors(block, shape),
    ...gatedTensors(block, shape),
  ];
  return [
    matrix("token_embd", vocabSize, hidden),
    norm("output_norm", hidden),
    ...layers.flatMap(layer),
  ];
}
