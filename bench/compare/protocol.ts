/**
 * What the harness and a worker say to each other: a JSON object a line, a request on stdin and its
 * answer on stdout. A worker first says what it is, `Ready`. Seconds are measured inside it, around
 * the work alone; vectors are L2-normalised float32, base64 of little-endian bytes.
 */
export interface Ready {
  readonly name: string;
  /** Version, and how it was built. */
  readonly build: string;
  /** What it says of the CPU's abilities that it uses. */
  readonly system: string;
  /** Ways of opening a model; the first is the default. */
  readonly loadings: readonly string[];
}

/** Request and answer of each operation. */
export interface Operations {
  /** Opens a model for the cases that follow. */
  load: [{ model: string; threads: number }, object];
  /** Makes a case ready, with what settings the worker finds best, and says which. */
  prepare: [PrepareRequest, { settings: string }];
  /** Does the case so many times; `control`: seconds of a fixed loop between, where asked for. */
  run: [{ case: string; times: number }, { seconds: number[]; control?: number[] }];
  /** Results of the last run, in order of the texts. */
  vectors: [{ case: string }, { vectors: string[] }];
  /** Lets go of a case. */
  release: [{ case: string }, object];
  /** From the file to the first vector, tokenizer included; modules and libraries are loaded. */
  first: [FirstRequest, { seconds: number; vector: string }];
  /** Opens a model and embeds texts once, in batches: for the peak of memory. */
  once: [OnceRequest, { vectors: string[] }];
}

export interface PrepareRequest {
  readonly case: string;
  readonly model: string;
  readonly threads: number;
  readonly texts: readonly string[];
  /** Token ids of the texts, special tokens included, for peers that are given them. */
  readonly ids: readonly (readonly number[])[];
  /** Run a fixed loop of about the same length after each run, on as many threads. */
  readonly control?: boolean | undefined;
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

export function encodeVector(vector: Float32Array): string {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength).toBase64();
}

export function decodeVector(text: string): Float32Array {
  return new Float32Array(Uint8Array.fromBase64(text).buffer);
}
