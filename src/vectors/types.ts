/**
 * How a vector is stored. An array's type says which it is: `Float32Array`, `Int8Array`, or
 * `Uint8Array` for binary.
 *
 * - `"float32"`: the components.
 * - `"int8"`: a byte a component, in -127..127; `component ≈ scale · byte`.
 * - `"binary"`: a bit a component, set where it is above zero, eight to a byte, the first in the
 *   highest bit (as `numpy.packbits` and the `ubinary` of sentence-transformers have it);
 *   `component ≈ scale` where the bit is set, and `-scale` elsewhere.
 */
export type Encoding = "float32" | "int8" | "binary";

/** One vector, or many one after another. */
export type VectorArray = Float32Array | Int8Array | Uint8Array;

/** Components that a byte of a binary vector holds. */
export const COMPONENTS_PER_BYTE = 8;

/** Vectors in a compact form, and what their numbers count. */
export interface EncodedVectors<Data extends Int8Array | Uint8Array = Int8Array | Uint8Array> {
  /** `[rows][dimensions]` bytes, or binary `[rows][dimensions / 8]`; row-major. */
  readonly data: Data;
  readonly dimensions: number;
  /** `[rows]`: what one counts in each row. */
  readonly scales: Float32Array;
}
