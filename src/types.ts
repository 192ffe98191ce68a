import type { Pooling, Precision } from "./arch/plan.ts";
import type { ModelConfig } from "./arch/types.ts";

export type Truncate = "error" | "end" | "start";
export type Parallelism = "texts" | "matmul" | "auto";

export interface OpenOptions {
  /**
   * Worker threads, 1 to 256. Default: the cores this process may use (affinity and cgroup quota).
   */
  readonly threads?: number | undefined;
  /** How threads share the work: never changes a bit of the result. Default `"auto"`. */
  readonly parallelism?: Parallelism | undefined;
  /**
   * Bits that products with quantised weights round their input to: `"default"` 8, and 16 after
   * pooling; `"high"` 16. That leaves the weights' own rounding and an rms error of some 6e-6, for
   * up to twice the time. With float weights it changes nothing. Default `"default"`.
   */
  readonly precision?: Precision | undefined;
  /** Overrides the pooling that the file states. `"none"` gives token-level vectors. */
  readonly pooling?: Pooling | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EmbedOptions {
  /** Rejects the call with the signal's reason; calls in flight beside it lose nothing. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What the text is for, in the model's own terms (`"query"`, `"document"`, …). Default: verbatim.
   */
  readonly task?: string | undefined;
  /** Title of a document, where the model's document prompt has a place for one. */
  readonly title?: string | undefined;
  /** Keep the first so many components and normalise again (Matryoshka). */
  readonly dimensions?: number | undefined;
  /** What to do with a text longer than the context. Default `"error"`. */
  readonly truncate?: Truncate | undefined;
  /** L2-normalise. Default: as the model wants it. */
  readonly normalize?: boolean | undefined;
}

export interface EmbedResult {
  /**
   * `[dimensions]`, or with pooling `"none"` `[tokens, dimensions]` row-major. A view: texts of one
   * call may share a buffer, so copy it before transferring it.
   */
  readonly embedding: Float32Array;
  /** Tokens that went through the model, special tokens included. */
  readonly tokens: number;
  /** Tokens that `truncate` dropped; 0 when nothing was. */
  readonly truncated: number;
}

export interface StreamResult extends EmbedResult {
  /** Position of the text in the input. */
  readonly index: number;
}

/** What one layer made of a text: the same on every machine, to the last bit. */
export interface LayerFingerprint {
  /** From 0. */
  readonly layer: number;
  /** Root mean square of the hidden states after the layer. */
  readonly rms: number;
  /** First 16 hexadecimal digits of the SHA-256 of the hidden states, float32 little-endian. */
  readonly digest: string;
}

/** An open model. Safe to call from many tasks at once. */
export interface Embedder extends AsyncDisposable {
  readonly config: ModelConfig;
  /** Tasks that `EmbedOptions.task` accepts. */
  readonly tasks: readonly string[];
  /** Worker threads in use. */
  readonly threads: number;
  embed(text: string, options?: EmbedOptions): Promise<EmbedResult>;
  embed(texts: readonly string[], options?: EmbedOptions): Promise<EmbedResult[]>;
  /** Blocks the thread: for scripts. */
  embedSync(text: string, options?: Omit<EmbedOptions, "signal">): EmbedResult;
  embedSync(texts: readonly string[], options?: Omit<EmbedOptions, "signal">): EmbedResult[];
  /** Results in input order; reads ahead by a bounded number of texts. */
  stream(
    texts: Iterable<string> | AsyncIterable<string>,
    options?: EmbedOptions,
  ): AsyncIterableIterator<StreamResult>;
  /** Token ids, special tokens included. */
  tokenize(text: string): Int32Array;
  detokenize(ids: ArrayLike<number>): string;
  /**
   * Fingerprints of all layers for one text, to compare two machines, files or versions: the first
   * layer that differs is where to look.
   */
  fingerprintLayers(text: string): Promise<LayerFingerprint[]>;
  /** Idempotent. Waits for running calls; later calls reject with `CLOSED`. */
  close(): Promise<void>;
}
