import { closeSync, openSync, readSync } from "node:fs";
import { BLOCK_SIZES, tensorByteLength } from "../../src/gguf/block-size.ts";
import type { GgufFile, TensorInfo } from "../../src/gguf/types.ts";
import { BLOCKS, isBlockType } from "./blocks.ts";

/**
 * The tensors of a file as numbers: float32, as formats with a minimum are defined. In all others
 * a value is a float32 exactly (a Q8_0 product of an 11-bit scale and an 8-bit quant has 19 bits).
 */
export class ReferenceTensors {
  readonly file: GgufFile;
  readonly #cache = new Map<string, Float32Array>();

  constructor(file: GgufFile) {
    this.file = file;
  }

  has(name: string): boolean {
    return this.file.tensors.has(name);
  }

  /** All values of a tensor, row-major. */
  all(name: string): Float32Array {
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    const tensor = this.#tensor(name);
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    const values = this.#read(tensor, 0, count);
    this.#cache.set(name, values);
    return values;
  }

  /** One row of a table that is too large to be read as a whole. */
  row(name: string, row: number): Float32Array {
    const tensor = this.#tensor(name);
    const columns = tensor.shape[0]!;
    if (!(row >= 0 && row < (tensor.shape[1] ?? 1))) throw new Error(`${name} has no row ${row}`);
    return this.#read(tensor, row * columns, columns);
  }

  #tensor(name: string): TensorInfo {
    const tensor = this.file.tensors.get(name);
    if (tensor === undefined) throw new Error(`${this.file.path} has no tensor ${name}`);
    return tensor;
  }

  #read(tensor: TensorInfo, first: number, count: number): Float32Array {
    const data = new Uint8Array(tensorByteLength(tensor.type, [count]));
    const skipped = tensorByteLength(tensor.type, [first]);
    const descriptor = openSync(this.file.paths[tensor.file]!, "r");
    try {
      readSync(descriptor, data, 0, data.length, tensor.offset + skipped);
    } finally {
      closeSync(descriptor);
    }
    return dequantize(tensor.type, new DataView(data.buffer), count);
  }
}

function dequantize(type: string, view: DataView, count: number): Float32Array {
  switch (type) {
    case "F32":
      return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
    case "F16":
      return Float32Array.from({ length: count }, (_, i) => view.getFloat16(2 * i, true));
    case "BF16": {
      // The upper half of a float32.
      const bits = Uint32Array.from({ length: count }, (_, i) => view.getUint16(2 * i, true) << 16);
      return new Float32Array(bits.buffer);
    }
    default:
      return dequantizeBlocks(type, view, count);
  }
}

function dequantizeBlocks(type: string, view: DataView, count: number): Float32Array {
  if (!isBlockType(type)) throw new Error(`the reference does not know ${type}`);
  const { elements, bytes } = BLOCK_SIZES[type];
  const values = new Float32Array(count);
  for (let i = 0; i < count / elements; i++) {
    BLOCKS[type](view, i * bytes, values.subarray(i * elements, (i + 1) * elements));
  }
  return values;
}
