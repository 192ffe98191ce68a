import type { Pooling, Precision } from "./arch/plan.ts";
import type { ModelConfig } from "./arch/types.ts";
import type { Chunk, ChunkOptions } from "./chunk/types.ts";
import type { PullOptions } from "./hub/pull.ts";
import type { RerankOptions, RerankResult } from "./rerank/types.ts";
import type { EmbedderStats } from "./stats.ts";
import type { Encoding } from "./vectors/types.ts";

/** What to do with a text that is too long: refuse it, or drop tokens at its end or its start. */
export type Truncate = "error" | "end" | "start";
/**
 * How threads share a batch: whole texts each (`"texts"`), every operation (`"matmul"`), or what is
 * measured to be faster (`"auto"`). All give the same bits.
 */
export type Parallelism = "texts" | "matmul" | "auto";

/** A text, or its token ids as `tokenize` gives them: with special tokens, taken as they are. */
export type TextInput = string | Int32Array;

/** The array that a vector of each encoding is. */
export interface VectorOf {
  /** A float32 a component. */
  float32: Float32Array;
  /** A byte a component. */
  int8: Int8Array;
  /** A bit a component, eight to a byte. */
  binary: Uint8Array;
}

/** How a model is opened. A signal ends the opening alone, not what is asked of the model later. */
export interface OpenOptions extends PullOptions {
  /**
   * Worker threads, 1 to 256. Default: the cores this process may use (affinity and cgroup quota).
   */
  readonly threads?: number | undefined;
  /** How threads share the work: never changes a bit of the result. Default `"auto"`. */
  readonly parallelism?: Parallelism | undefined;
  /**
   * Bits that products with quantised weights round their input to: `"default"` 8, and 16 after
   * pooling; `"high"` 16. That leaves what the file's own format rounded and an rms error of some
   * 6e-6, for 1.6 to 2.1 times the time. With float weights it changes nothing. Default
   * `"default"`.
   */
  readonly precision?: Precision | undefined;
  /** Overrides the pooling that the file states. `"none"` gives token-level vectors. */
  readonly pooling?: Pooling | undefined;
  /**
   * Prompts by task, beside the model's own or in their place: what goes before a text, spaces
   * included. `{title}` stands for the title, or `none`.
   */
  readonly prompts?: Readonly<Record<string, string>> | undefined;
  /**
   * Bytes that a cache of vectors may take, keyed by the text and by all that changes its vector.
   * Default 0: no cache.
   */
  readonly cacheBytes?: number | undefined;
  /**
   * Texts that may wait; a call beyond them rejects with `QUEUE_FULL`, a stream waits. Default
   * 65,536.
   */
  readonly queueLimit?: number | undefined;
}

/** What is asked of `embed`, `embedSync` and `stream`, for all texts of a call. */
export interface EmbedOptions<E extends Encoding = "float32"> {
  /** Rejects the call with the signal's reason; calls in flight beside it lose nothing. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What the text is for, in the model's own terms (`"query"`, `"document"`, …). Default: verbatim.
   */
  readonly task?: string | undefined;
  /** Title of a document, where the prompt has a place for one. */
  readonly title?: string | undefined;
  /** What goes before the text, in place of a task's prompt. `{title}` stands for the title. */
  readonly prompt?: string | undefined;
  /** Keep the first so many components and normalise again (Matryoshka). */
  readonly dimensions?: number | undefined;
  /** What to do with a text longer than the context. Default `"error"`. */
  readonly truncate?: Truncate | undefined;
  /** Most tokens of all texts of a call, after `truncate`. Default: as many as there are. */
  readonly tokenLimit?: number | undefined;
  /** L2-normalise. Default: as the model wants it. */
  readonly normalize?: boolean | undefined;
  /** Form of the vectors, `"float32"` where there is one for each token. Default `"float32"`. */
  readonly encoding?: E | undefined;
}

/** The vector of one text, and what became of the text. */
export interface EmbedResult<E extends Encoding = "float32"> {
  /**
   * `[dimensions]`, or with pooling `"none"` `[tokens, dimensions]` row-major. A view: the texts of
   * one call are the rows of one buffer, in order, so copy it before transferring it. (With pooling
   * `"none"` each text has a buffer of its own.)
   */
  readonly embedding: VectorOf[E];
  /** What a component counts, see `Encoding`; 1 with `"float32"`. */
  readonly scale: number;
  /** Tokens that went through the model, special tokens included. */
  readonly tokens: number;
  /** Tokens that `truncate` dropped; 0 when nothing was. */
  readonly truncated: number;
}

/** A result of `Embedder.stream`. */
export interface StreamResult<E extends Encoding = "float32"> extends EmbedResult<E> {
  /** Position of the text in the input. */
  readonly index: number;
}

/** How to cut a document for this model. */
export interface DocumentOptions extends ChunkOptions, Pick<EmbedOptions, "task" | "title"> {}

/** What changes the vectors of a text, beside the text itself. */
export type FingerprintOptions = Pick<
  EmbedOptions<Encoding>,
  "task" | "prompt" | "dimensions" | "normalize" | "encoding"
>;

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
  /** What the model is, from the metadata of its file. */
  readonly config: ModelConfig;
  /** Tasks that `EmbedOptions.task` accepts. */
  readonly tasks: readonly string[];
  /** Worker threads in use. */
  readonly threads: number;
  /**
   * Vectors of a text or of many. Calls that run at the same time share batches, fairly; nothing
   * of that changes a vector.
   *
   * Rejects with the signal's reason, or with `INVALID_ARGUMENT`, `INPUT_TOO_LONG`, `QUEUE_FULL`,
   * `CLOSED`, `NOT_FINITE`, `BAD_FILE` or `OUT_OF_RESOURCES`. A call has all its vectors or none.
   *
   * @example
   * ```ts
   * const { embedding } = await model.embed("a text", { task: "query" });
   * const compact = await model.embed(["one", "two"], { encoding: "int8", dimensions: 128 });
   * console.log(embedding.length, compact.map(({ tokens }) => tokens));
   * ```
   */
  embed<E extends Encoding = "float32">(
    text: TextInput,
    options?: EmbedOptions<E>,
  ): Promise<EmbedResult<E>>;
  embed<E extends Encoding = "float32">(
    texts: readonly TextInput[],
    options?: EmbedOptions<E>,
  ): Promise<EmbedResult<E>[]>;
  /**
   * Blocks the thread: for scripts. Throws what `embed` rejects with, but never `QUEUE_FULL`, and
   * without the index of a text that the engine has no vector for.
   */
  embedSync<E extends Encoding = "float32">(
    text: TextInput,
    options?: Omit<EmbedOptions<E>, "signal">,
  ): EmbedResult<E>;
  embedSync<E extends Encoding = "float32">(
    texts: readonly TextInput[],
    options?: Omit<EmbedOptions<E>, "signal">,
  ): EmbedResult<E>[];
  /**
   * Results in input order, in constant memory: reads ahead by a bounded number of texts, and stops
   * reading while nobody takes results. Leaving the loop cancels what was read ahead.
   *
   * Throws `INVALID_ARGUMENT` or `CLOSED`; later rejects with what `embed` rejects with, but never
   * `QUEUE_FULL`, or with what reading `texts` threw. What is wrong with a text comes after the
   * results of the texts before it; what ends the work itself, as the signal, `close` or the
   * engine, comes at once.
   *
   * @example
   * ```ts
   * async function* lines() {
   *   yield "one";
   *   yield "two";
   * }
   * for await (const { index, embedding } of model.stream(lines())) {
   *   console.log(index, embedding);
   * }
   * ```
   */
  stream<E extends Encoding = "float32">(
    texts: Iterable<TextInput> | AsyncIterable<TextInput>,
    options?: Omit<EmbedOptions<E>, "tokenLimit">,
  ): AsyncIterableIterator<StreamResult<E>>;
  /**
   * How well each document answers a query, by a reranker: the best first, equals in the order of
   * the documents. A pair's score is the same, to the last bit, whatever documents are beside it.
   *
   * Rejects with `UNSUPPORTED` where the model is no reranker, with `INPUT_TOO_LONG` for a query
   * that leaves no room for a document, and with what `embed` rejects with. (A reranker's `embed`,
   * `embedSync` and `stream` are `UNSUPPORTED` in turn.)
   *
   * @example
   * ```ts
   * await using reranker = await open("bge-reranker-v2-m3-Q8_0.gguf");
   * const documents = ["Paris is the capital of France.", "Cats sleep a lot."];
   * for (const { index, score } of await reranker.rerank("capital of France", documents)) {
   *   console.log(score.toFixed(4), documents[index]);
   * }
   * ```
   */
  rerank(
    query: string,
    documents: readonly string[],
    options?: RerankOptions,
  ): Promise<RerankResult[]>;
  /**
   * Token ids, special tokens included: what `embed` counts, and takes in place of the text. Throws
   * `INVALID_ARGUMENT` for what is no string, `CLOSED`.
   */
  tokenize(text: string): Int32Array;
  /**
   * Ids back to text. Control tokens give nothing; bytes that form no UTF-8 give U+FFFD. Throws
   * `INVALID_ARGUMENT` for an id outside the vocabulary, `CLOSED`.
   */
  detokenize(ids: ArrayLike<number>): string;
  /**
   * Cuts a document into chunks of at most `maxTokens`, at the best boundaries of the text that
   * there are: headings, paragraphs, lines, sentences, words. Each `text` is
   * `document.slice(start, end)`, and `tokens` is what the model will count for it with the same
   * `task`, `title` or `prompt`.
   *
   * Throws `CLOSED`; throws `INVALID_ARGUMENT` or rejects with it, or with the signal's reason.
   */
  chunk(document: string, options?: DocumentOptions): AsyncIterableIterator<Chunk>;
  /**
   * Names the kind of vector that these options give: equal for vectors that may be compared, on
   * any machine. Store it beside them. It covers the content of the model file, precision, pooling,
   * prompt, dimensions, normalisation, encoding and the version of the arithmetic. The file is read
   * once, some tenths of a second for 300 MB, without blocking. A split model has that of the file
   * that was split.
   *
   * Rejects with `BAD_FILE` if the file has changed since it was opened.
   */
  fingerprint(options?: FingerprintOptions): Promise<string>;
  /**
   * Fingerprints of all layers for one text, to compare two machines, files or versions: the first
   * layer that differs is where to look. Rejects with what `embed` rejects with.
   */
  fingerprintLayers(text: string): Promise<LayerFingerprint[]>;
  /**
   * Milliseconds until what waits and runs now should be done, by the pace of the last batches:
   * about how long a text that comes now will wait. 0 where nothing waits or nothing is known yet.
   * Asking costs next to nothing, which `stats` does not.
   */
  readonly expectedWaitMs: number;
  /** What it does and has done, for metrics. Throws `CLOSED`. */
  stats(): EmbedderStats;
  /**
   * Waits for running calls, or with `cancel` has them reject with `CLOSED`; later calls reject
   * with `CLOSED`. Idempotent.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** How a model is closed. */
export interface CloseOptions {
  /** Ends what waits and what runs instead of waiting for it. */
  readonly cancel?: boolean | undefined;
}
