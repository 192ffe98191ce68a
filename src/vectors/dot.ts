import { COMPONENTS_PER_BYTE, type VectorArray } from "./types.ts";

/** As in zig/kernels: `LANES` sums, which one tree joins. */
const LANES = 16;

/**
 * `Σ a·b` of two vectors of one encoding and length, in their own units: for int8 and binary
 * without their scales. The bits of the native kernels: products of two float32 are exact in
 * float64, and are added in the same order.
 */
export function dotProduct(a: VectorArray, b: VectorArray): number {
  if (a instanceof Uint8Array) return a.length * COMPONENTS_PER_BYTE - 2 * differences(a, b);
  if (a instanceof Int8Array) return dotOfBytes(a, b);
  return dotOfFloats(a, b);
}

/** Finite where all components are. */
export function sumOfSquares(vector: VectorArray): number {
  return dotProduct(vector, vector);
}

function dotOfFloats(a: Float32Array, b: VectorArray): number {
  const sums = new Float64Array(LANES);
  for (let i = 0; i < a.length; i++) sums[i % LANES]! += a[i]! * b[i]!;
  for (let half = LANES / 2; half >= 1; half /= 2) {
    for (let lane = 0; lane < half; lane++) sums[lane]! += sums[lane + half]!;
  }
  return sums[0]!;
}

function dotOfBytes(a: Int8Array, b: VectorArray): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum = (sum + Math.imul(a[i]!, b[i]!)) | 0;
  return sum;
}

/** Bits in which they differ. */
function differences(a: Uint8Array, b: VectorArray): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) count += BITS[a[i]! ^ b[i]!]!;
  return count;
}

/** Bits that are set in each byte. */
const BITS = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
});
