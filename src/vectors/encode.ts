import { invalidArgument } from "../errors.ts";
import { COMPONENTS_PER_BYTE, type EncodedVectors } from "./types.ts";

const INT8_MAX = 127;
/** Rows below this become zeros: their 127 / max|x| would overflow float32. */
const MAGNITUDE_MIN = 1e-36;
/** 1.5 · 2^23. A float32 to which it is added keeps no fraction: it is rounded half to even. */
const MAGIC = 12582912;

/**
 * Vectors in a quarter (`"int8"`) or a thirty-second (`"binary"`) of their size, with a scale each.
 *
 * int8, as the engine quantises activations: `scale = max|x| / 127` in float32, and x / scale
 * rounded half to even. Each component is off by at most half a scale (and its rounding).
 *
 * binary: the signs, and `scale = mean|x|`, which of all scales leaves the least squared error:
 * `Σ (x - s · sign x)²` is least where its derivative `2 (n · s - Σ |x|)` is zero.
 *
 * @param matrix - `[rows][dimensions]`, row-major.
 * @throws GgufEmbedError `INVALID_ARGUMENT` where the matrix is no whole number of rows, a
 *   component is not finite, or binary vectors would not fill their last byte
 */
export function encodeVectors(
  matrix: Float32Array,
  dimensions: number,
  encoding: "int8",
): EncodedVectors<Int8Array>;
export function encodeVectors(
  matrix: Float32Array,
  dimensions: number,
  encoding: "binary",
): EncodedVectors<Uint8Array>;
export function encodeVectors(
  matrix: Float32Array,
  dimensions: number,
  encoding: "int8" | "binary",
): EncodedVectors;
export function encodeVectors(
  matrix: Float32Array,
  dimensions: number,
  encoding: "int8" | "binary",
): EncodedVectors {
  const rows = checkMatrix(matrix, dimensions);
  const scales = new Float32Array(rows);
  if (encoding === "int8") {
    const data = new Int8Array(matrix.length);
    for (let row = 0; row < rows; row++) {
      scales[row] = encodeInt8(matrix, row * dimensions, dimensions, data);
    }
    return { data, dimensions, scales };
  }
  if (encoding !== "binary") {
    throw invalidArgument(
      `the encoding is ${JSON.stringify(encoding)}; it must be "int8" or "binary"`,
    );
  }
  checkBinaryDimensions(dimensions);
  const data = new Uint8Array(matrix.length / COMPONENTS_PER_BYTE);
  for (let row = 0; row < rows; row++) {
    scales[row] = encodeBinary(matrix, row * dimensions, dimensions, data);
  }
  return { data, dimensions, scales };
}

/**
 * The components that an int8 or binary vector stands for.
 *
 * @param scale - the vector's own, of `EncodedVectors.scales`; 1 leaves its direction as it is.
 */
export function decodeVector(vector: Int8Array | Uint8Array, scale = 1): Float32Array {
  if (!Number.isFinite(scale)) throw invalidArgument(`the scale is ${scale}; it must be finite`);
  if (vector instanceof Int8Array) return Float32Array.from(vector, (q) => q * scale);
  if (vector instanceof Uint8Array) {
    const components = new Float32Array(vector.length * COMPONENTS_PER_BYTE);
    for (let i = 0; i < components.length; i++) {
      const bit = (vector[i >> 3]! << (i & 7)) & 0x80;
      components[i] = bit === 0 ? -scale : scale;
    }
    return components;
  }
  throw invalidArgument("an encoded vector must be an Int8Array or, when binary, a Uint8Array");
}

/** Binary vectors leave no bit over: their bytes alone tell how many components they have. */
export function checkBinaryDimensions(dimensions: number): void {
  if (dimensions % COMPONENTS_PER_BYTE === 0) return;
  throw invalidArgument(
    `dimensions is ${dimensions}; of binary vectors, which hold ${COMPONENTS_PER_BYTE} ` +
      `components a byte, it must be a multiple of ${COMPONENTS_PER_BYTE}`,
  );
}

function checkMatrix(matrix: Float32Array, dimensions: number): number {
  if (!(matrix instanceof Float32Array)) {
    throw invalidArgument("the vectors to encode must be a Float32Array");
  }
  if (!Number.isInteger(dimensions) || dimensions < 1) {
    throw invalidArgument(`dimensions is ${dimensions}; it must be a whole number from 1 on`);
  }
  if (matrix.length % dimensions !== 0) {
    throw invalidArgument(
      `${matrix.length} numbers are no whole number of vectors of ${dimensions} dimensions`,
    );
  }
  return matrix.length / dimensions;
}

/** Gives the scale. */
function encodeInt8(matrix: Float32Array, begin: number, count: number, data: Int8Array): number {
  const end = begin + count;
  let largest = 0;
  for (let i = begin; i < end; i++) largest = Math.max(largest, Math.abs(matrix[i]!));
  checkFinite(largest, matrix, begin, end);
  const inverse = largest > MAGNITUDE_MIN ? Math.fround(INT8_MAX / largest) : 0;
  for (let i = begin; i < end; i++) {
    data[i] = Math.fround(Math.fround(matrix[i]! * inverse) + MAGIC) - MAGIC;
  }
  return largest / INT8_MAX;
}

/** Gives the scale. */
function encodeBinary(
  matrix: Float32Array,
  begin: number,
  count: number,
  data: Uint8Array,
): number {
  let total = 0;
  for (let byte = begin; byte < begin + count; byte += COMPONENTS_PER_BYTE) {
    let bits = 0;
    for (let i = byte; i < byte + COMPONENTS_PER_BYTE; i++) {
      const x = matrix[i]!;
      total += Math.abs(x);
      bits = (bits << 1) | (x > 0 ? 1 : 0);
    }
    data[byte / COMPONENTS_PER_BYTE] = bits;
  }
  checkFinite(total, matrix, begin, begin + count);
  return total / count;
}

/** `magnitude` is finite only if all components are. */
function checkFinite(magnitude: number, matrix: Float32Array, begin: number, end: number): void {
  if (Number.isFinite(magnitude)) return;
  const component = matrix.subarray(begin, end).findIndex((x) => !Number.isFinite(x));
  throw invalidArgument(
    `vector ${begin / (end - begin)} is not finite: component ${component} is ` +
      `${matrix[begin + component]}`,
  );
}
