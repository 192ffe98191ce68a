import type { MetadataEntry } from "../../src/gguf/types.ts";
import { bool, float32, string, uint32 } from "../../src/gguf/values.ts";
import type { TinyOptions, TinyShape } from "./tiny.ts";

export function gemmaMetadata(
  shape: TinyShape,
  { dense = true }: TinyOptions,
): Map<string, MetadataEntry> {
  const entries: Record<string, MetadataEntry> = {
    ...sizeEntries(shape),
    "attention.head_count_kv": uint32(shape.headsKv),
    "attention.key_length": uint32(shape.headSize),
    "attention.value_length": uint32(shape.headSize),
    "attention.layer_norm_rms_epsilon": float32(1e-6),
    "attention.sliding_window": uint32(shape.window),
    "rope.freq_base": float32(1e6),
    pooling_type: uint32(1),
  };
  if (dense) {
    entries.dense_2_feat_in = uint32(shape.hidden);
    entries.dense_2_feat_out = uint32(2 * shape.hidden);
    entries.dense_3_feat_in = uint32(2 * shape.hidden);
    entries.dense_3_feat_out = uint32(shape.hidden);
  }
  return prefixed("gemma-embedding", entries);
}

export function bertMetadata(shape: TinyShape): Map<string, MetadataEntry> {
  return prefixed("bert", encoderEntries(shape));
}

export function nomicBertMetadata(shape: TinyShape): Map<string, MetadataEntry> {
  return prefixed("nomic-bert", { ...encoderEntries(shape), "rope.freq_base": float32(1000) });
}

export function qwen3Metadata(shape: TinyShape): Map<string, MetadataEntry> {
  return prefixed("qwen3", {
    ...sizeEntries(shape),
    "attention.head_count_kv": uint32(shape.headsKv),
    "attention.key_length": uint32(shape.headSize),
    "attention.value_length": uint32(shape.headSize),
    "attention.layer_norm_rms_epsilon": float32(1e-6),
    "rope.freq_base": float32(1e6),
    pooling_type: uint32(3),
  });
}

function encoderEntries(shape: TinyShape): Record<string, MetadataEntry> {
  return {
    ...sizeEntries(shape),
    "attention.layer_norm_epsilon": float32(1e-12),
    "attention.causal": bool(false),
    pooling_type: uint32(1),
  };
}

function sizeEntries(shape: TinyShape): Record<string, MetadataEntry> {
  return {
    context_length: uint32(shape.context),
    embedding_length: uint32(shape.hidden),
    block_count: uint32(shape.layers),
    feed_forward_length: uint32(shape.feedForward),
    "attention.head_count": uint32(shape.heads),
  };
}

function prefixed(
  architecture: string,
  entries: Readonly<Record<string, MetadataEntry>>,
): Map<string, MetadataEntry> {
  const metadata = new Map<string, MetadataEntry>([
    ["general.architecture", string(architecture)],
    ["general.name", string(`tiny ${architecture}`)],
  ]);
  for (const [key, entry] of Object.entries(entries)) metadata.set(`${architecture}.${key}`, entry);
  return metadata;
}
