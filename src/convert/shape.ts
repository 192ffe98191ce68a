import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";

/** Sizes that every architecture has. */
export interface ModelShape {
  readonly layerCount: number;
  readonly contextLength: number;
  readonly hiddenSize: number;
  readonly ffnSize: number;
  readonly headCount: number;
  readonly vocabSize: number;
}

/** Sizes of what looks both ways, with LayerNorm. */
export interface EncoderShape extends ModelShape {
  readonly tokenTypeCount: number;
  readonly layerNormEpsilon: number;
  /** Absent where positions are a table. */
  readonly ropeTheta?: number;
}

/** The first keys of every architecture, in the order of llama.cpp's converter, as all others. */
export function shapeMetadata(name: string, shape: ModelShape): [string, MetadataEntry][] {
  return [
    [`${name}.block_count`, value.uint32(shape.layerCount)],
    [`${name}.context_length`, value.uint32(shape.contextLength)],
    [`${name}.embedding_length`, value.uint32(shape.hiddenSize)],
    [`${name}.feed_forward_length`, value.uint32(shape.ffnSize)],
    [`${name}.attention.head_count`, value.uint32(shape.headCount)],
  ];
}

export function encoderMetadata(name: string, shape: EncoderShape): [string, MetadataEntry][] {
  const { ropeTheta, layerNormEpsilon } = shape;
  const entries = shapeMetadata(name, shape);
  if (ropeTheta !== undefined) entries.push([`${name}.rope.freq_base`, value.float32(ropeTheta)]);
  entries.push(
    [`${name}.attention.layer_norm_epsilon`, value.float32(layerNormEpsilon)],
    [`${name}.attention.causal`, value.bool(false)],
  );
  return entries;
}
