import { BLOCK_SIZES } from "../../src/gguf/block-size.ts";
import { BLOCKS, type BlockType } from "./blocks.ts";

/** Of blocks that stand for `values`: the sum of the squares of what they are off. */
export function squaredError(type: BlockType, bytes: Uint8Array, values: Float32Array): number {
  const { elements, bytes: size } = BLOCK_SIZES[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const block = new Float32Array(elements);
  let sum = 0;
  for (let first = 0; first < values.length; first += elements) {
    BLOCKS[type](view, (first / elements) * size, block);
    for (let i = 0; i < elements; i++) sum += (block[i]! - values[first + i]!) ** 2;
  }
  return sum;
}
