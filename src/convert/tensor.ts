import { BLOCK_SIZES, elementCount } from "../gguf/block-size.ts";
import { fileError, quote } from "../gguf/message.ts";
import type { TensorSource } from "../gguf/writer.ts";
import { encode, type OutputType } from "./quantize.ts";
import { readFloats, type SafetensorsTensor } from "./safetensors.ts";

/** A tensor of the checkpoint and its name in GGUF. */
export interface TensorPlan {
  readonly name: string;
  readonly source: SafetensorsTensor;
  /** Vectors and small tables stay F32: they cost nothing, and their errors reach every token. */
  readonly keepFloat: boolean;
  /** Rows at the top that are left out. */
  readonly skipRows?: number;
  /** Added to every element, in float32. */
  readonly plus?: number;
}

const CHUNK_ELEMENTS = 1 << 20;

/** Reads, encodes and writes a tensor piece by piece: memory does not grow with its size. */
export function tensorSource(plan: TensorPlan, wanted: OutputType): TensorSource {
  const { name, source, skipRows = 0, plus = 0 } = plan;
  const [rows = 1, ...row] = source.shape;
  const shape = [rows - skipRows, ...row].toReversed();
  const type = plan.keepFloat ? "F32" : fittingType(wanted, shape[0] ?? 1);
  const skipped = skipRows * elementCount(row);
  const read = async (start: number, count: number) => {
    const values = await readFloats(source, skipped + start, count);
    if (plus !== 0) for (let i = 0; i < values.length; i++) values[i]! += plus;
    return values;
  };
  return { name, type, shape, chunks: () => encodeChunks(source, type, elementCount(shape), read) };
}

async function* encodeChunks(
  source: SafetensorsTensor,
  type: OutputType,
  total: number,
  read: (start: number, count: number) => Promise<Float32Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const readAt = (start: number) => {
    const values = start < total ? read(start, Math.min(CHUNK_ELEMENTS, total - start)) : undefined;
    // It is awaited a chunk later, or never, when encoding fails before.
    values?.catch(() => {});
    return values;
  };
  // The next piece is read while this one is encoded and written.
  let next = readAt(0);
  for (let start = CHUNK_ELEMENTS; next !== undefined; start += CHUNK_ELEMENTS) {
    const values = await next;
    next = readAt(start);
    const bytes = encode(type, values);
    if (bytes === undefined) throw unfit(source, type);
    yield bytes;
  }
}

/** Rows must be whole blocks; for others llama.cpp's quantiser falls back to F16 as well. */
function fittingType(wanted: OutputType, columns: number): OutputType {
  return columns % BLOCK_SIZES[wanted].elements === 0 ? wanted : "F16";
}

function unfit(source: SafetensorsTensor, type: OutputType): Error {
  const message = `tensor ${quote(source.name)} holds a value that is NaN, infinite or too large`;
  return fileError("BAD_FILE", source.path, `${message} for ${type}`);
}
