import { fileError, quote } from "../gguf/message.ts";
import type { GgmlTypeName } from "../gguf/types.ts";
import type { MovedTensor } from "../quantize/passages.ts";
import { FLOAT_TYPES } from "../quantize/types.ts";
import type { SafetensorsTensor } from "./safetensors.ts";

/** A tensor of the checkpoint and its name in GGUF. */
export interface TensorPlan {
  readonly name: string;
  readonly source: SafetensorsTensor;
  /** Rows at the top that are left out. */
  readonly skipRows?: number;
  /** Added to every element, in float32. */
  readonly plus?: number;
}

/**
 * The tensor as F32, which is what formats are chosen for, whatever the checkpoint has. Throws
 * `UNSUPPORTED` for one that does not hold floats.
 */
export function moveTensor({ name, source, skipRows = 0, plus }: TensorPlan): MovedTensor {
  const { path, dtype, shape, offset, byteLength } = source;
  // Safetensors calls these formats as ggml does.
  const type = dtype as GgmlTypeName;
  if (!FLOAT_TYPES.has(type)) {
    const known = [...FLOAT_TYPES].join(", ");
    const message = `${quote(source.name)} is ${dtype}; the converter reads ${known}`;
    throw fileError("UNSUPPORTED", path, message);
  }
  const [rows = 1, ...row] = shape;
  const skipped = skipRows === 0 ? 0 : (byteLength / rows) * skipRows;
  return {
    name,
    type: "F32",
    shape: [rows - skipRows, ...row].toReversed(),
    source: { path, name: source.name, type, offset: offset + skipped, plus },
  };
}
