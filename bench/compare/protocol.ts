/**
 * What the harness and a worker say to each other: a JSON object a line, a request on stdin and its
 * answer on stdout. A worker first says what it is, `Ready`. Seconds are measured inside it, around
 * the work alone; vectors are L2-normalised float32, ids are int32, both base64 of little-endian
 * bytes. A worker need not know the operations of cases that it takes no part in.
 */
import type { Precision } from "../../src/index.ts";

export interface Ready {
  readonly name: string;
  /** Version, and how it was built. */
  readonly build: string;
  /** What it says of the CPU's abilities that it uses. */
  readonly system: string;
  /** What it multiplies, which says how exact it must be. */
  readonly arithmetic: Arithmetic;
  /** Ways of opening a model; the first is the default. */
  readonly loadings: readonly string[];
}

export type Arithmetic = "int8" | "float32";

/** Request and answer of each operation. */
export interface Operations {
  /** Opens a model for the cases that follow. */
  load: [LoadRequest, object];
  /** Makes a case ready, with what settings the worker finds best, and says which. */
  prepare: [PrepareRequest, { settings: string }];
  /** Does the case so many times. */
  run: [{ case: string; times: number }, { seconds: number[] }];
  /** Results of the last run, in order of the texts. */
  vectors: [{ case: string }, { vectors: string[] }];
  /** Makes a case of tokenizing ready, as `prepare` does for one of embedding. */
  prepare_tokens: [TokensRequest, { settings: string }];
  /** Tokenizes the next of the texts, and starts over after the last. */
  run_tokens: [{ case: string; times: number }, { seconds: number[] }];
  /** Ids of each text, without special tokens. */
  tokens: [{ case: string }, { ids: string[] }];
  /** Lets go of a case. */
  release: [{ case: string }, object];
  /** From the file to the first vector, tokenizer included; modules and libraries are loaded. */
  first: [FirstRequest, { seconds: number; vector: string }];
  /** Opens a model and embeds texts once, in batches: for the peak of memory. */
  once: [OnceRequest, { vectors: string[] }];
}

export interface LoadRequest {
  readonly model: string;
  readonly threads: number;
  /** Ours alone has a choice. */
  readonly precision?: Precision;
}

export interface PrepareRequest extends LoadRequest {
  readonly case: string;
  readonly texts: readonly string[];
  /** Token ids of the texts, special tokens included, for peers that are given them. */
  readonly ids: readonly (readonly number[])[];
}

export interface TokensRequest {
  readonly case: string;
  readonly model: string;
  readonly texts: readonly string[];
}

export interface FirstRequest {
  readonly model: string;
  readonly threads: number;
  readonly text: string;
  readonly loading: string;
}

export interface OnceRequest {
  readonly model: string;
  readonly threads: number;
  readonly texts: readonly string[];
  readonly loading: string;
}

export type Operation = keyof Operations;

/** A line from the harness. */
export type Request = { [Op in Operation]: { readonly op: Op } & Operations[Op][0] }[Operation];

export function encodeNumbers(numbers: Float32Array | Int32Array): string {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength).toBase64();
}

export function decodeVector(text: string): Float32Array {
  return new Float32Array(Uint8Array.fromBase64(text).buffer);
}

export function decodeIds(text: string): Int32Array {
  return new Int32Array(Uint8Array.fromBase64(text).buffer);
}
