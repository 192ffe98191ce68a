/**
 * The largest counts and lengths that a header may state. Beyond them a file is damaged or hostile;
 * whatever is below must in addition fit into the bytes that are left in the file.
 */
export const LIMITS = {
  /** Bytes up to the tensor data. The largest public vocabularies make 10 to 20 MB. */
  header_bytes: 256 * 2 ** 20,
  /** A large mixture-of-experts model has about 2,000. */
  tensors: 2 ** 16,
  /** Files of one model. The largest public models have some 200, and each stays open. */
  shards: 2 ** 10,
  metadata_keys: 2 ** 16,
  /** Bytes; the specification's own limit. */
  key_bytes: 2 ** 16 - 1,
  /** Bytes; the specification's own limit. */
  tensor_name_bytes: 64,
  /** Bytes; llama.cpp's own limit. */
  string_bytes: 64 * 2 ** 20,
  /** Llama.cpp's own limit. */
  array_elements: 64 * 2 ** 20,
  /** Arrays inside of arrays, in one header: each costs an object. */
  nested_arrays: 2 ** 16,
  nesting_depth: 4,
  /** The specification's own limit. */
  dimensions: 4,
  /** Llama.cpp's own limit, in bytes. */
  alignment: 2 ** 20,
} as const;

/** Bytes; the specification wants a multiple of 8. */
export const ALIGNMENT_MIN = 8;
export const ALIGNMENT_DEFAULT = 32;

export function isAlignment(value: number): boolean {
  const isPowerOfTwo = Number.isInteger(value) && 2 ** Math.round(Math.log2(value)) === value;
  return isPowerOfTwo && value >= ALIGNMENT_MIN && value <= LIMITS.alignment;
}

export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
