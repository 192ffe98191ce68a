import type { TensorSource } from "../gguf/writer.ts";
import { syntheticMatrix, syntheticVector, type VectorOptions } from "./synth.ts";

/** Sizes of a layer, under the names of their GGUF keys. */
export interface LayerShape {
  readonly hiddenSize: number;
  readonly ffnSize: number;
  readonly headCount: number;
  readonly headCountKv: number;
  readonly headSize: number;
}

export function matrix(name: string, rows: number, columns: number): TensorSource {
  return syntheticMatrix(`${name}.weight`, rows, columns);
}

/** The weight of a norm. */
export function norm(name: string, length: number, options?: VectorOptions): TensorSource {
  return syntheticVector(`${name}.weight`, length, options);
}

export function bias(name: string, length: number): TensorSource {
  return syntheticVector(`${name}.bias`, length, { centre: 0, spread: 0.2 });
}

/** Attention with norms of heads, as Gemma 3 and Qwen3 have it; `block` ends with a dot. */
export function attentionTensors(block: string, shape: LayerShape): TensorSource[] {
  const { hiddenSize: hidden, headSize } = shape;
  const queries = shape.headCount * headSize;
  const keys = shape.headCountKv * headSize;
  return [
    norm(`${block}attn_norm`, hidden, { outliers: 4 }),
    matrix(`${block}attn_q`, queries, hidden),
    matrix(`${block}attn_k`, keys, hidden),
    matrix(`${block}attn_v`, keys, hidden),
    norm(`${block}attn_q_norm`, headSize, { centre: 1.5 }),
    norm(`${block}attn_k_norm`, headSize, { centre: 1.5 }),
    matrix(`${block}attn_output`, hidden, queries),
  ];
}

/** What follows: a product that another gates. */
export function gatedTensors(block: string, shape: LayerShape): TensorSource[] {
  const { hiddenSize: hidden, ffnSize: ffn } = shape;
  return [
    norm(`${block}ffn_norm`, hidden, { outliers: 4 }),
    matrix(`${block}ffn_gate`, ffn, hidden),
    matrix(`${block}ffn_up`, ffn, hidden),
    matrix(`${block}ffn_down`, hidden, ffn),
  ];
}
