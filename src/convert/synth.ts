import { BLOCK_SIZES } from "../gguf/block-size.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import type { TensorSource } from "../gguf/writer.ts";

/*
 * Made-up weights that any language can make bit for bit, since every number comes from 32-bit
 * integer hashes:
 *
 *   fmix(h)      murmur3's 32-bit finaliser
 *   seed(name)   FNV-1a 32 of the tensor's name
 *   hash(s, i)   fmix(fmix(i) + s)                      (mod 2^32)
 *
 * Matrix (Q8_0), element i, row-major:  b0..b3 the bytes of hash(seed, i)
 *   q = clamp((b0 + b1 + b2 + b3 - 510) >> 2, -127, 127)
 * block b of 32 elements:  u = (hash(seed + GOLDEN, b) & 255) / 256
 *   d = float16(std / 37 · (0.75 + 0.5 u))
 * Vector (F32), element i:  w = float32(centre + spread · ((hash(seed, i) & 0xffff) / 65536 - 0.5))
 *   then, for j below outliers: element hash(seed + 2 GOLDEN, j) mod n, once, times 6
 *
 * A quarter of the sum of four uniform bytes has a standard deviation of 37, hence `std / 37`.
 */
const { elements: BLOCK_ELEMENTS, bytes: BLOCK_BYTES } = BLOCK_SIZES.Q8_0;
const GOLDEN = 0x9e3779b9;
const Q_STANDARD_DEVIATION = 37;
const CHUNK_BLOCKS = 1 << 15;

/** What `writeGguf` needs for a file. */
export interface GgufContent {
  readonly metadata: ReadonlyMap<string, MetadataEntry>;
  readonly tensors: readonly TensorSource[];
}

/**
 * A `[columns, rows]` matrix of standard deviation `columns^-½`, so that layers keep their scale.
 */
export function syntheticMatrix(name: string, rows: number, columns: number): TensorSource {
  const blocks = (rows * columns) / BLOCK_ELEMENTS;
  return {
    name,
    type: "Q8_0",
    shape: [columns, rows],
    *chunks() {
      for (let start = 0; start < blocks; start += CHUNK_BLOCKS) {
        const count = Math.min(CHUNK_BLOCKS, blocks - start);
        yield matrixBlocks(seedOf(name), columns ** -0.5, start, count);
      }
    },
  };
}

export interface VectorOptions {
  readonly centre?: number;
  readonly spread?: number;
  readonly outliers?: number;
}

/** Weights of a norm. F32, as converters write them. */
export function syntheticVector(
  name: string,
  length: number,
  options: VectorOptions = {},
): TensorSource {
  const values = vectorValues(seedOf(name), length, options);
  return { name, type: "F32", shape: [length], chunks: () => [new Uint8Array(values.buffer)] };
}

/** A table whose rows are added to others: positions, token types. */
export function syntheticTable(name: string, rows: number, columns: number): TensorSource {
  const flat = syntheticVector(name, rows * columns, { centre: 0, spread: 0.2 });
  return { ...flat, shape: [columns, rows] };
}

function matrixBlocks(
  seed: number,
  standardDeviation: number,
  start: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * BLOCK_BYTES);
  const quants = new Int8Array(bytes.buffer);
  const scales = blockScales(standardDeviation);
  const scaleSeed = salted(seed, 1);
  for (let block = 0; block < count; block++) {
    const at = block * BLOCK_BYTES;
    const scale = scales[hash(scaleSeed, start + block) & 0xff]!;
    bytes[at] = scale & 0xff;
    bytes[at + 1] = scale >>> 8;
    const element = (start + block) * BLOCK_ELEMENTS;
    for (let i = 0; i < BLOCK_ELEMENTS; i++) {
      const h = hash(seed, element + i);
      const sum = (h & 0xff) + ((h >>> 8) & 0xff) + ((h >>> 16) & 0xff) + (h >>> 24);
      const quant = (sum - 510) >> 2;
      quants[at + 2 + i] = Math.max(quant, -127);
    }
  }
  return bytes;
}

/** The 256 scales that a block can have, as float16 bits. */
function blockScales(standardDeviation: number): Uint16Array {
  const unit = standardDeviation / Q_STANDARD_DEVIATION;
  const scales = Float16Array.from({ length: 256 }, (_, u) => unit * (0.75 + 0.5 * (u / 256)));
  return new Uint16Array(scales.buffer);
}

function vectorValues(
  seed: number,
  length: number,
  options: VectorOptions,
): Float32Array<ArrayBuffer> {
  const { centre = 1, spread = 0.5, outliers = 0 } = options;
  const values = Float32Array.from(
    { length },
    (_, i) => centre + spread * ((hash(seed, i) & 0xffff) / 65536 - 0.5),
  );
  const outlierSeed = salted(seed, 2);
  const picks = Array.from({ length: outliers }, (_, j) => (hash(outlierSeed, j) >>> 0) % length);
  for (const pick of new Set(picks)) values[pick]! *= 6;
  return values;
}

function seedOf(name: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 0x01000193);
  return h;
}

function salted(seed: number, times: number): number {
  return (seed + times * GOLDEN) | 0;
}

function hash(seed: number, index: number): number {
  return fmix((fmix(index) + seed) | 0);
}

/** Murmur3's finaliser, by Austin Appleby: public domain. */
function fmix(h: number): number {
  let x = h ^ (h >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}
