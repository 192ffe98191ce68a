/** Values of all float16, by their bits: looking them up is faster than asking a `Float16Array`. */
const VALUES = new Float32Array(
  new Float16Array(Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits).buffer),
);

/** A vector in float16, little-endian: half the bytes, for an error of some 1e-5 in a cosine. */
export function toHalf(vector: Float32Array): Uint8Array {
  return new Uint8Array(Float16Array.from(vector).buffer);
}

/** Writes the components of a float16 vector to `target` from `offset` on. */
export function fromHalf(bytes: Uint8Array, target: Float32Array, offset: number): void {
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  for (let i = 0; i < bits.length; i++) target[offset + i] = VALUES[bits[i]!]!;
}
