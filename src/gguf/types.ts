/**
 * Tensor element formats of GGUF, by the number that the file stores.
 * Source: the GGUF specification (in docs of ggml-org/ggml).
 */
export const GGML_TYPES = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q8_1: 9,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  Q8_K: 15,
  IQ2_XXS: 16,
  IQ2_XS: 17,
  IQ3_XXS: 18,
  IQ1_S: 19,
  IQ4_NL: 20,
  IQ3_S: 21,
  IQ2_S: 22,
  IQ4_XS: 23,
  I8: 24,
  I16: 25,
  I32: 26,
  I64: 27,
  F64: 28,
  IQ1_M: 29,
  BF16: 30,
  TQ1_0: 34,
  TQ2_0: 35,
  MXFP4: 39,
} as const;

/** A format of weights, as ggml names it. */
export type GgmlTypeName = keyof typeof GGML_TYPES;

/** One row of the tensor table, its place resolved and checked against the size of the file. */
export interface TensorInfo {
  readonly name: string;
  readonly type: GgmlTypeName;
  /** Dimensions as GGUF stores them: `shape[0]` runs fastest. A matrix is `[columns, rows]`. */
  readonly shape: readonly number[];
  /** Its file, as an index into `GgufFile.paths`. */
  readonly file: number;
  /** Absolute offset of the first byte in that file. */
  readonly offset: number;
  /** Exact length in bytes. */
  readonly byteLength: number;
}

/** Value types of GGUF metadata, in the order of their numbers in the file (0 to 12). */
export type MetadataType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "float32"
  | "bool"
  | "string"
  | "array"
  | "uint64"
  | "int64"
  | "float64";

/**
 * A string array left in place: a vocabulary of 262,144 pieces costs one `Uint32Array`, not
 * 262,144 strings. The bytes are UTF-8 as the file holds them (not validated).
 */
export interface StringArray {
  readonly type: "string";
  readonly length: number;
  /** Header bytes that hold the strings. */
  readonly bytes: Uint8Array;
  /** `starts[i]` is the index in `bytes` of the first byte of string `i`. */
  readonly starts: Uint32Array;
  /** `ends[i]` is the index in `bytes` just after its last byte. */
  readonly ends: Uint32Array;
}

/** A numeric or boolean array (booleans as 0 and 1), copied out of the header. */
export interface NumberArray {
  readonly type: Exclude<MetadataType, "string" | "array">;
  readonly length: number;
  readonly values:
    | Uint8Array
    | Int8Array
    | Uint16Array
    | Int16Array
    | Uint32Array
    | Int32Array
    | Float32Array
    | Float64Array
    | BigUint64Array
    | BigInt64Array;
}

/** An array of arrays. */
export interface NestedArray {
  readonly type: "array";
  readonly length: number;
  readonly items: readonly MetadataArray[];
}

export type MetadataArray = StringArray | NumberArray | NestedArray;

/** 64-bit integers are numbers when they are safe integers, bigints otherwise. */
export type MetadataValue = number | bigint | boolean | string | MetadataArray;

export interface MetadataEntry {
  readonly type: MetadataType;
  readonly value: MetadataValue;
}

/**
 * Metadata with typed access. Every getter throws `BAD_MODEL` that names the file, the key, what
 * was expected and what was found. `get…` gives `undefined` for an absent key; `require…` throws.
 */
export interface Metadata {
  readonly path: string;
  readonly entries: ReadonlyMap<string, MetadataEntry>;
  has(key: string): boolean;
  /** Integer or float scalars; a bigint beyond 2^53 is an error. */
  getNumber(key: string): number | undefined;
  requireNumber(key: string): number;
  /** A non-negative integer no larger than `max` (default 2^31 - 1). */
  getCount(key: string, max?: number): number | undefined;
  requireCount(key: string, max?: number): number;
  getBoolean(key: string): boolean | undefined;
  getString(key: string): string | undefined;
  requireString(key: string): string;
  getStrings(key: string): StringArray | undefined;
  requireStrings(key: string): StringArray;
  getNumbers(key: string): NumberArray | undefined;
}

/**
 * A parsed and validated GGUF header, or those of all shards of a split model. The tensor data
 * stays in the files.
 */
export interface GgufFile {
  /** Of the file, or of the first shard: the metadata are its own. */
  readonly path: string;
  /** Of the file, or of all shards in order. */
  readonly paths: readonly string[];
  /** 2 or 3. */
  readonly version: number;
  /** Bytes, of all shards together. */
  readonly fileSize: number;
  /** Bytes; `general.alignment` or 32. */
  readonly alignment: number;
  /** Absolute offset of the tensor data section. */
  readonly dataOffset: number;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}
