import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import type { JsonFile } from "./json.ts";
import { matrix, type TensorLayout, vector } from "./layout.ts";
import { type ModelShape, shapeMetadata } from "./shape.ts";

/** Sizes of what was a language model: RMS norms, rotary positions, gated layers. */
export interface DecoderShape extends ModelShape {
  readonly headCountKv: number;
  readonly headSize: number;
  readonly rmsNormEpsilon: number;
  /** Of the layers that see all. */
  readonly ropeTheta: number;
}

/** Norms of a layer: their names in GGUF and in Hugging Face's checkpoints. */
export type LayerNorms = readonly (readonly [name: string, source: string])[];

export function readDecoderShape(config: JsonFile, ropeTheta: number): DecoderShape {
  const hiddenSize = config.requireCount("hidden_size");
  const headCount = config.requireCount("num_attention_heads");
  return {
    layerCount: config.requireCount("num_hidden_layers"),
    contextLength: config.requireCount("max_position_embeddings"),
    hiddenSize,
    ffnSize: config.requireCount("intermediate_size"),
    headCount,
    headCountKv: config.getCount("num_key_value_heads") ?? headCount,
    headSize: config.getCount("head_dim") ?? hiddenSize / headCount,
    vocabSize: config.requireCount("vocab_size"),
    rmsNormEpsilon: config.getNumber("rms_norm_eps") ?? 1e-6,
    ropeTheta,
  };
}

export function decoderMetadata(name: string, shape: DecoderShape): [string, MetadataEntry][] {
  return [
    ...shapeMetadata(name, shape),
    [`${name}.attention.head_count_kv`, value.uint32(shape.headCountKv)],
    [`${name}.rope.freq_base`, value.float32(shape.ropeTheta)],
    [`${name}.attention.layer_norm_rms_epsilon`, value.float32(shape.rmsNormEpsilon)],
    [`${name}.attention.key_length`, value.uint32(shape.headSize)],
    [`${name}.attention.value_length`, value.uint32(shape.headSize)],
  ];
}

/** @param plus is added to the weights of norms */
export function decoderTensors(shape: DecoderShape, norms: LayerNorms, plus = 0): TensorLayout[] {
  const { hiddenSize: hidden, ffnSize: ffn, headSize, vocabSize } = shape;
  const queries = shape.headCount * headSize;
  const keys = shape.headCountKv * headSize;
  const norm = (to: string, from: string, length = hidden): TensorLayout => ({
    ...vector(`${to}.weight`, `${from}.weight`, length),
    ...(plus === 0 ? {} : { plus }),
  });
  const layer = (to: string, from: string) => [
    matrix(`${to}.attn_q`, `${from}.self_attn.q_proj`, queries, hidden),
    matrix(`${to}.attn_k`, `${from}.self_attn.k_proj`, keys, hidden),
    matrix(`${to}.attn_v`, `${from}.self_attn.v_proj`, keys, hidden),
    norm(`${to}.attn_q_norm`, `${from}.self_attn.q_norm`, headSize),
    norm(`${to}.attn_k_norm`, `${from}.self_attn.k_norm`, headSize),
    matrix(`${to}.attn_output`, `${from}.self_attn.o_proj`, hidden, queries),
    matrix(`${to}.ffn_gate`, `${from}.mlp.gate_proj`, ffn, hidden),
    matrix(`${to}.ffn_up`, `${from}.mlp.up_proj`, ffn, hidden),
    matrix(`${to}.ffn_down`, `${from}.mlp.down_proj`, hidden, ffn),
    ...norms.map(([name, source]) => norm(`${to}.${name}`, `${from}.${source}`)),
  ];
  const layers = Array.from({ length: shape.layerCount }, (_, n) =>
    layer(`blk.${n}`, `layers.${n}`),
  );
  return [
    matrix("token_embd", "embed_tokens", vocabSize, hidden),
    norm("output_norm", "norm"),
    ...layers.flat(),
  ];
}
