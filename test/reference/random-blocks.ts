import { ok as assert } from "node:assert/strict";
import { BLOCK_SIZES } from "../../src/gguf/block-size.ts";
import { BLOCKS, type BlockType } from "./blocks.ts";
import type { Random } from "./random.ts";

/** Where a block has its scale, and its minimum, in so many scales that the mean is 0. */
interface Halves {
  readonly scale: number;
  readonly minimum?: number;
  readonly scales?: number;
}

const HALVES: Readonly<Record<BlockType, Halves>> = {
  Q8_0: { scale: 0 },
  Q4_0: { scale: 0 },
  Q4_1: { scale: 0, minimum: 2, scales: -7.5 },
  Q5_0: { scale: 0 },
  Q5_1: { scale: 0, minimum: 2, scales: -15.5 },
  IQ4_NL: { scale: 0 },
  IQ4_XS: { scale: 0 },
  Q2_K: { scale: 80, minimum: 82, scales: 1.5 },
  Q3_K: { scale: 108 },
  Q4_K: { scale: 0, minimum: 2, scales: 7.5 },
  Q5_K: { scale: 0, minimum: 2, scales: 15.5 },
  Q6_K: { scale: 208 },
};

/** Blocks of random bits, in scales with which their values have about that deviation. */
export function randomBlocks(
  type: BlockType,
  length: number,
  deviation: number,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const { elements, bytes } = BLOCK_SIZES[type];
  assert(length % elements === 0);
  const result = new Uint8Array((length / elements) * bytes);
  for (let i = 0; i < result.length; i++) result[i] = random.integer(0, 255);
  const view = new DataView(result.buffer);
  const values = new Float32Array(elements);
  for (let at = 0; at < result.length; at += bytes) {
    // What the bits mean in units of the scale.
    putScale(view, at, HALVES[type], 1);
    BLOCKS[type](view, at, values);
    const square = values.reduce((sum, x) => sum + x * x, 0) / elements;
    const wanted = deviation * (0.5 + random.next());
    putScale(view, at, HALVES[type], wanted / Math.sqrt(Math.max(square, 1)));
  }
  return result;
}

function putScale(view: DataView, at: number, halves: Halves, d: number): void {
  view.setFloat16(at + halves.scale, d, true);
  if (halves.minimum === undefined) return;
  view.setFloat16(at + halves.minimum, d * halves.scales!, true);
}
