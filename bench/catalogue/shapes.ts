/** Models of the shapes that people use, with made-up weights in Q8_0: what they cost is real. */
import { join } from "node:path";
import { ensureFile } from "../../scripts/cached.ts";
import { ensureMiniLM } from "../../scripts/models.ts";
import { CACHE } from "../../scripts/paths.ts";
import { FILE_TYPES } from "../../src/convert/file-type.ts";
import { syntheticMatrix, syntheticVector, type VectorOptions } from "../../src/convert/synth.ts";
import { POOLING_TYPES, type PoolingType } from "../../src/gguf/pooling-type.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import type { MetadataEntry } from "../../src/gguf/types.ts";
import * as value from "../../src/gguf/values.ts";
import { type TensorSource, writeGguf } from "../../src/gguf/writer.ts";
import { sharedPath } from "../../test/reference/golden.ts";

/** To be raised when the recipe changes. */
const RECIPE = 1;

interface Sizes {
  readonly layers: number;
  readonly hidden: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly context: number;
  readonly pooling: PoolingType;
}

export interface Shape extends Sizes {
  readonly architecture: "bert" | "nomic-bert" | "qwen3";
  /** Of a file whose vocabulary it takes. */
  readonly vocabulary: () => Promise<string>;
  /** For `qwen3`. */
  readonly headsKv?: number;
  readonly headSize?: number;
}

const sharedVocabulary = (name: string) => async () => sharedPath(`models/vocab/${name}.gguf`);

export const SHAPES = {
  "bge-small-en-v1.5": {
    architecture: "bert",
    layers: 12,
    hidden: 384,
    feedForward: 1536,
    heads: 12,
    context: 512,
    pooling: "cls",
    vocabulary: () => ensureMiniLM(),
  },
  "multilingual-e5-small": {
    architecture: "bert",
    layers: 12,
    hidden: 384,
    feedForward: 1536,
    heads: 12,
    context: 512,
    pooling: "mean",
    vocabulary: sharedVocabulary("ggml-vocab-nomic-bert-moe"),
  },
  "nomic-embed-text-v1.5": {
    architecture: "nomic-bert",
    layers: 12,
    hidden: 768,
    feedForward: 3072,
    heads: 12,
    context: 2048,
    pooling: "mean",
    vocabulary: () => ensureMiniLM(),
  },
  "Qwen3-Embedding-0.6B": {
    architecture: "qwen3",
    layers: 28,
    hidden: 1024,
    feedForward: 3072,
    heads: 16,
    headsKv: 8,
    headSize: 128,
    context: 32_768,
    pooling: "last",
    vocabulary: sharedVocabulary("ggml-vocab-qwen2"),
  },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof SHAPES;

/** Path of the file in the cache, made on first use. */
export function ensureShape(name: ShapeName): Promise<string> {
  const path = join(CACHE, "models", `${name}-synth-v${RECIPE}.gguf`);
  return ensureFile(path, async () => {
    const shape: Shape = SHAPES[name];
    const vocabulary = await readGguf(await shape.vocabulary());
    const tokenizer = [...vocabulary.metadata.entries].filter(([key]) =>
      key.startsWith("tokenizer."),
    );
    const vocabSize = vocabulary.metadata.requireStrings("tokenizer.ggml.tokens").length;
    const metadata = new Map([...metadataOf(name, shape), ...tokenizer]);
    if (shape.architecture === "qwen3") {
      metadata.set("tokenizer.ggml.add_eos_token", value.bool(true));
    }
    const tensors = shape.architecture === "qwen3" ? decoder : encoder;
    await writeGguf(path, metadata, tensors(shape, vocabSize));
  });
}

function metadataOf(name: string, shape: Shape): Map<string, MetadataEntry> {
  const { architecture, headSize } = shape;
  const isEncoder = architecture !== "qwen3";
  const entries: [string, MetadataEntry][] = [
    ["context_length", value.uint32(shape.context)],
    ["embedding_length", value.uint32(shape.hidden)],
    ["block_count", value.uint32(shape.layers)],
    ["feed_forward_length", value.uint32(shape.feedForward)],
    ["attention.head_count", value.uint32(shape.heads)],
    ["pooling_type", value.uint32(POOLING_TYPES.indexOf(shape.pooling))],
  ];
  if (isEncoder) {
    entries.push(["attention.layer_norm_epsilon", value.float32(1e-12)]);
    entries.push(["attention.causal", value.bool(false)]);
  } else {
    entries.push(["attention.layer_norm_rms_epsilon", value.float32(1e-6)]);
    entries.push(["attention.head_count_kv", value.uint32(shape.headsKv!)]);
    entries.push(["attention.key_length", value.uint32(headSize!)]);
    entries.push(["attention.value_length", value.uint32(headSize!)]);
  }
  if (architecture === "nomic-bert") entries.push(["rope.freq_base", value.float32(1000)]);
  if (architecture === "qwen3") entries.push(["rope.freq_base", value.float32(1e6)]);
  return new Map([
    ["general.architecture", value.string(architecture)],
    ["general.name", value.string(`synthetic ${name}`)],
    ["general.file_type", value.uint32(FILE_TYPES.Q8_0)],
    ...entries.map(([key, entry]) => [`${architecture}.${key}`, entry] as const),
    ["tokenizer.ggml.token_type_count", value.uint32(2)],
  ]);
}

const matrix = (name: string, rows: number, columns: number) =>
  syntheticMatrix(`${name}.weight`, rows, columns);
const norm = (name: string, length: number, options?: VectorOptions) =>
  syntheticVector(`${name}.weight`, length, options);
const bias = (name: string, length: number) =>
  syntheticVector(`${name}.bias`, length, { centre: 0, spread: 0.2 });
const table = (name: string, rows: number, columns: number): TensorSource => ({
  ...syntheticVector(`${name}.weight`, rows * columns, { centre: 0, spread: 0.2 }),
  shape: [columns, rows],
});

/** BERT, or nomic-bert: no biases but in its norms, one matrix for Q, K and V, and a gate. */
function encoder(shape: Shape, vocabSize: number): TensorSource[] {
  const { architecture, layers, hidden, feedForward, context } = shape;
  const isBert = architecture === "bert";
  const affine = (name: string, rows: number, columns: number) => [
    matrix(name, rows, columns),
    ...(isBert ? [bias(name, rows)] : []),
  ];
  const layerNorm = (name: string, options?: VectorOptions) => [
    norm(name, hidden, options),
    bias(name, hidden),
  ];
  const layer = (block: string) => [
    ...(isBert
      ? ["q", "k", "v"].flatMap((part) => affine(`${block}.attn_${part}`, hidden, hidden))
      : affine(`${block}.attn_qkv`, 3 * hidden, hidden)),
    ...affine(`${block}.attn_output`, hidden, hidden),
    ...layerNorm(`${block}.attn_output_norm`, { outliers: 2 }),
    ...(isBert ? [] : affine(`${block}.ffn_gate`, feedForward, hidden)),
    ...affine(`${block}.ffn_up`, feedForward, hidden),
    ...affine(`${block}.ffn_down`, hidden, feedForward),
    ...layerNorm(`${block}.layer_output_norm`, { outliers: 2 }),
  ];
  return [
    matrix("token_embd", vocabSize, hidden),
    ...(isBert ? [table("position_embd", context, hidden)] : []),
    table("token_types", 2, hidden),
    ...layerNorm("token_embd_norm"),
    ...Array.from({ length: layers }, (_, n) => layer(`blk.${n}`)).flat(),
  ];
}

/** Qwen3. */
function decoder(shape: Shape, vocabSize: number): TensorSource[] {
  const { layers, hidden, feedForward, heads } = shape;
  const head = shape.headSize!;
  const keys = shape.headsKv! * head;
  const layer = (block: string) => [
    norm(`${block}.attn_norm`, hidden, { outliers: 4 }),
    matrix(`${block}.attn_q`, heads * head, hidden),
    matrix(`${block}.attn_k`, keys, hidden),
    matrix(`${block}.attn_v`, keys, hidden),
    norm(`${block}.attn_q_norm`, head, { centre: 1.5 }),
    norm(`${block}.attn_k_norm`, head, { centre: 1.5 }),
    matrix(`${block}.attn_output`, hidden, heads * head),
    norm(`${block}.ffn_norm`, hidden, { outliers: 4 }),
    matrix(`${block}.ffn_gate`, feedForward, hidden),
    matrix(`${block}.ffn_up`, feedForward, hidden),
    matrix(`${block}.ffn_down`, hidden, feedForward),
  ];
  return [
    matrix("token_embd", vocabSize, hidden),
    norm("output_norm", hidden),
    ...Array.from({ length: layers }, (_, n) => layer(`blk.${n}`)).flat(),
  ];
}
