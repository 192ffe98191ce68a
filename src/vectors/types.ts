import { invalidArgument } from "../errors.ts";

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

/** A vector and what its numbers count. What `embed` gives is one. */
export interface ScaledVector {
  /** `[dimensions]` numbers or bytes, or binary `[dimensions / 8]`. */
  readonly embedding: VectorArray;
  /** Only `metric: "dot"` asks for it, and not of float32. */
  readonly scale?: number | undefined;
}

/** A vector, alone or with its scale. */
export type VectorLike = VectorArray | ScaledVector;

/** Vectors one after another. */
export interface VectorMatrix {
  /** `[rows][dimensions]` numbers or bytes, or binary `[rows][dimensions / 8]`; row-major. */
  readonly data: VectorArray;
  /** Components of each row. */
  readonly dimensions: number;
  /** `[rows]`: what one counts in each row. As in `ScaledVector`. */
  readonly scales?: Float32Array | undefined;
}

/** Vectors in a compact form, with their scales. */
export interface EncodedVectors<Data extends Int8Array | Uint8Array = Int8Array | Uint8Array>
  extends VectorMatrix {
  /** As in `VectorMatrix`. */
  readonly data: Data;
  /** `[rows]`: what one counts in each row. */
  readonly scales: Float32Array;
}

export function isVectorArray(value: unknown): value is VectorArray {
  return value instanceof Float32Array || value instanceof Int8Array || value instanceof Uint8Array;
}

export function encodingOf(vector: VectorArray): Encoding {
  if (vector instanceof Float32Array) return "float32";
  return vector instanceof Int8Array ? "int8" : "binary";
}

/** Components in so many elements of an array. */
export function componentsOf(vector: VectorArray, length = vector.length): number {
  return vector instanceof Uint8Array ? length * COMPONENTS_PER_BYTE : length;
}

/** An array of the same encoding. */
export function newArray(like: VectorArray, length: number): VectorArray {
  if (like instanceof Float32Array) return new Float32Array(length);
  return like instanceof Int8Array ? new Int8Array(length) : new Uint8Array(length);
}

/** As many vectors as lie one behind the other from `first` on, as one array. */
export function joined(first: VectorArray, count: number): VectorArray {
  const { buffer, byteOffset } = first;
  const length = count * first.length;
  if (first instanceof Float32Array) return new Float32Array(buffer, byteOffset, length);
  if (first instanceof Int8Array) return new Int8Array(buffer, byteOffset, length);
  return new Uint8Array(buffer, byteOffset, length);
}

/** The components of a vector, which must have some. */
export function vectorOf(value: VectorLike, name: string): VectorArray {
  const vector = isVectorArray(value) ? value : value?.embedding;
  if (!isVectorArray(vector)) {
    throw invalidArgument(
      `${name} is no vector: it must be a Float32Array, an Int8Array or a Uint8Array, ` +
        "or have one as its embedding",
    );
  }
  if (vector.length === 0) throw invalidArgument(`${name} has no components`);
  return vector;
}
