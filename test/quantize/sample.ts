import { encodeHeader } from "../../src/gguf/encode.ts";
import type { GgmlTypeName, MetadataEntry } from "../../src/gguf/types.ts";
import * as value from "../../src/gguf/values.ts";
import { type TensorSource, writeGguf } from "../../src/gguf/writer.ts";

/** As many layers as the mixtures need to treat some differently. */
const LAYERS = 9;
const COLUMNS = 256;

/** A model of no use, of which llama.cpp's tool takes every tensor for what its name says. */
export const SAMPLE_METADATA: ReadonlyMap<string, MetadataEntry> = new Map([
  ["general.architecture", value.string("bert")],
  ["general.name", value.string("sample")],
  ["general.file_type", value.uint32(0)],
  ["bert.block_count", value.uint32(LAYERS)],
  ["bert.context_length", value.uint32(16)],
  ["bert.embedding_length", value.uint32(COLUMNS)],
  ["bert.feed_forward_length", value.uint32(COLUMNS)],
  ["bert.attention.head_count", value.uint32(4)],
  ["bert.attention.layer_norm_epsilon", value.float32(1e-12)],
]);

/** Writes the sample's file. */
export async function writeSample(path: string): Promise<void> {
  await writeGguf(path, SAMPLE_METADATA, sampleTensors());
}

function sampleTensors(): TensorSource[] {
  const layers = Array.from({ length: LAYERS }, (_, n) => [
    floatTensor(`blk.${n}.attn_output.weight`, [COLUMNS, 5]),
    floatTensor(`blk.${n}.attn_v.weight`, [COLUMNS, 4]),
    floatTensor(`blk.${n}.ffn_down.weight`, [COLUMNS, 7]),
  ]);
  return [
    floatTensor("token_embd.weight", [COLUMNS, 40]),
    floatTensor("position_embd.weight", [COLUMNS, 2]),
    floatTensor("token_embd_norm.weight", [COLUMNS]),
    ...layers.flat(),
    // Rows that are made of blocks of 32, and of none.
    floatTensor("blk.0.ffn_up.weight", [96, 33]),
    floatTensor("blk.0.ffn_gate.weight", [80, 3]),
    floatTensor("blk.0.attn_q.bias", [COLUMNS]),
  ];
}

/** A tensor of made-up weights. */
export function floatTensor(name: string, shape: readonly number[]): TensorSource {
  const count = shape.reduce((product, n) => product * n, 1);
  const values = Float32Array.from({ length: count }, (_, i) => weight(hash(name), i));
  return tensorOf(name, "F32", shape, new Uint8Array(values.buffer));
}

export function tensorOf(
  name: string,
  type: GgmlTypeName,
  shape: readonly number[],
  bytes: Uint8Array,
): TensorSource {
  return { name, type, shape, chunks: () => [bytes] };
}

/** Where the data of the tensors begin, in a file with this header. */
export function dataOffset(tensors: readonly TensorSource[]): number {
  return encodeHeader(SAMPLE_METADATA, tensors).bytes.length;
}

/**
 * A sum of four uniform numbers, which is nearly normal; every sixty-fourth is larger by far, and
 * each 256 have a size of their own. Exact in float64, so the same everywhere.
 */
function weight(seed: number, i: number): number {
  const bits = mixed(seed + i);
  const sum = (bits & 0xff) + ((bits >>> 8) & 0xff) + ((bits >>> 16) & 0xff) + (bits >>> 24);
  const other = mixed(seed ^ (i + 0x5bd1e995));
  const size = 1 + (mixed(seed + (i >>> 8) * 7919) & 7) / 4;
  return ((sum - 510) / 4096) * size * ((other & 63) === 0 ? 4 : 1);
}

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193);
  return h;
}

/** Murmur3's finaliser, by Austin Appleby: public domain. */
function mixed(h: number): number {
  let x = h ^ (h >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
