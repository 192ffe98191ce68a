import type { ModelConfig, RerankerKind } from "./arch/types.ts";
import { type Chunk, chunkText } from "./chunk/index.ts";
import { GgufEmbedError, invalidArgument } from "./errors.ts";
import { ARITHMETIC_VERSION, type FileContent, nameOf } from "./fingerprint.ts";
import type { NativeEngine } from "./native/engine.ts";
import { abortable } from "./pipeline/abortable.ts";
import { divideIntoBatches } from "./pipeline/batch.ts";
import type { VectorCache } from "./pipeline/cache.ts";
import { Call } from "./pipeline/call.ts";
import { checkInput, checkInputs, checkIterable, checkText, isOne } from "./pipeline/inputs.ts";
import { fingerprintLayers } from "./pipeline/layers.ts";
import { batchOf, vectorsOf } from "./pipeline/native-batch.ts";
import { prepareText, surround } from "./pipeline/prepare.ts";
import { Reader, type ReadyText } from "./pipeline/reader.ts";
import { newRows } from "./pipeline/results.ts";
import {
  checkChoice,
  type Settings,
  type SettingsOfModel,
  settingsFor,
} from "./pipeline/settings.ts";
import { streamInGroups } from "./pipeline/stream.ts";
import type { Prompts } from "./prompts.ts";
import type { Pairs } from "./rerank/pairs.ts";
import { byScore, scoreOf } from "./rerank/score.ts";
import type { RerankOptions, RerankResult } from "./rerank/types.ts";
import type { Admission } from "./scheduler/admission.ts";
import type { Job, Line } from "./scheduler/fair-queue.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import { turns } from "./scheduler/turns.ts";
import type { EmbedderStats } from "./stats.ts";
import type { Tokenizer } from "./tokenizer/types.ts";
import type {
  CloseOptions,
  DocumentOptions,
  Embedder,
  EmbedOptions,
  EmbedResult,
  FingerprintOptions,
  LayerFingerprint,
  StreamResult,
  TextInput,
} from "./types.ts";
import type { Encoding } from "./vectors/types.ts";

/** Batches' worth of tokens after which what is ready joins the queue, while the rest is read. */
const GROUP_BATCHES = 4;
/** The same for a stream, which reads no further than the next group. */
const STREAM_BATCHES = 2;

export interface EmbedderParts {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly prompts: Prompts;
  /** Of a reranker. */
  readonly reranker: Reranker | undefined;
  readonly engine: NativeEngine;
  readonly content: FileContent;
  readonly threads: number;
  /** The plan's operations that end its layers. */
  readonly layerEnds: readonly number[];
  /** Tokens that a batch should have at most. */
  readonly tokenBudget: number;
  /** Tokens that it can have at most: where one text has more than the budget. */
  readonly tokenCapacity: number;
  /** Multiply-adds of the matrix products for a token. */
  readonly macsPerToken: number;
  readonly admission: Admission;
  readonly cache: VectorCache | undefined;
}

export interface Reranker {
  readonly kind: RerankerKind;
  readonly pairs: Pairs;
}

type SyncOptions<E extends Encoding> = Omit<EmbedOptions<E>, "signal">;

/** Lifetime and pipeline of one open model: texts → ids → batches → vectors. */
export class ModelEmbedder implements Embedder {
  readonly config: ModelConfig;
  readonly threads: number;
  readonly #parts: EmbedderParts;
  readonly #model: SettingsOfModel;
  readonly #reader: Reader;
  readonly #scheduler: Scheduler;
  readonly #running = new Set<Promise<unknown>>();
  readonly #calls = new Set<Call<Encoding>>();
  readonly #ended = { succeeded: 0, failed: 0, cancelled: 0 };
  #closing: Promise<void> | undefined;

  constructor(parts: EmbedderParts) {
    const { config, tokenizer, prompts, engine, cache } = parts;
    const { threads, tokenBudget, tokenCapacity, macsPerToken } = parts;
    this.#parts = parts;
    this.config = config;
    this.threads = threads;
    const tokenLevel = this.#tokenLevel;
    const width = tokenLevel ? config.hiddenSize : config.embeddingSize;
    this.#model = { prompts, width, normalize: config.normalize, tokenLevel };
    this.#reader = new Reader({ tokenizer, contextLength: config.contextLength }, cache);
    this.#scheduler = new Scheduler(engine, {
      threads,
      budget: tokenBudget,
      capacity: tokenCapacity,
      macsPerToken,
      tokenLevel,
    });
  }

  get tasks(): readonly string[] {
    return this.#parts.prompts.tasks;
  }

  embed<E extends Encoding = "float32">(
    text: TextInput,
    options?: EmbedOptions<E>,
  ): Promise<EmbedResult<E>>;
  embed<E extends Encoding = "float32">(
    texts: readonly TextInput[],
    options?: EmbedOptions<E>,
  ): Promise<EmbedResult<E>[]>;
  async embed<E extends Encoding>(
    input: TextInput | readonly TextInput[],
    options: EmbedOptions<E> = {},
  ): Promise<EmbedResult<E> | EmbedResult<E>[]> {
    const inputs = checkInputs(input);
    options.signal?.throwIfAborted();
    const settings = this.#embedSettings(options);
    const read: Read = (tag) => this.#reader.steps(inputs[tag]!, tag, settings);
    const results = await this.#run<E>(inputs.length, read, settings, options.signal);
    return isOne(input) ? results[0]! : results;
  }

  async rerank(
    query: string,
    documents: readonly string[],
    { signal, topN = documents.length, truncate = "end", tokenLimit }: RerankOptions = {},
  ): Promise<RerankResult[]> {
    if (typeof query !== "string") throw invalidArgument("the query is not a string");
    const texts = checkDocuments(documents);
    signal?.throwIfAborted();
    const settings = this.#settings({ truncate, tokenLimit });
    const { reranker, config } = this.#parts;
    if (reranker === undefined) throw noReranker(config);
    checkChoice("truncate", truncate, ["error", "end"]);
    if (!Number.isInteger(topN) || topN < 0) {
      throw invalidArgument(`topN is ${topN}; it must be a whole number from 0`);
    }
    const { kind, pairs } = reranker;
    const prepared = pairs.query(query);
    const read: Read = function* (index) {
      const pair = yield* pairs.steps(prepared, texts[index]!, index, truncate);
      return { ...pair, index, tokens: pair.ids.length };
    };
    const results = await this.#run<"float32">(texts.length, read, settings, signal);
    return results
      .map(({ embedding, tokens, truncated }, index) => {
        return { index, ...scoreOf(kind, embedding), tokens, truncated };
      })
      .sort(byScore)
      .slice(0, topN);
  }

  embedSync<E extends Encoding = "float32">(
    text: TextInput,
    options?: SyncOptions<E>,
  ): EmbedResult<E>;
  embedSync<E extends Encoding = "float32">(
    texts: readonly TextInput[],
    options?: SyncOptions<E>,
  ): EmbedResult<E>[];
  embedSync<E extends Encoding>(
    input: TextInput | readonly TextInput[],
    options: SyncOptions<E> = {},
  ): EmbedResult<E> | EmbedResult<E>[] {
    const settings = this.#embedSettings(options);
    const inputs = checkInputs(input);
    const call = this.#newCall<E>(inputs.length, settings);
    const jobs: Job[] = [];
    for (const [tag, text] of inputs.entries()) {
      const ready = this.#reader.readNow(text, tag, settings);
      call.add(ready);
      if (ready.vector === undefined) jobs.push({ ids: ready.ids, tag });
    }
    for (const batch of divideIntoBatches(jobs, this.#parts.tokenBudget)) {
      const output = this.#parts.engine.embedSync(batchOf(batch, settings, this.#tokenLevel));
      const vectors = vectorsOf(output, batch, settings, this.#tokenLevel);
      for (const [i, vector] of vectors.entries()) call.vector(batch[i]!.tag, vector);
      this.#scheduler.count(batch);
    }
    return isOne(input) ? call.results[0]! : call.results;
  }

  stream<E extends Encoding = "float32">(
    texts: Iterable<TextInput> | AsyncIterable<TextInput>,
    options: Omit<EmbedOptions<E>, "tokenLimit"> = {},
  ): AsyncIterableIterator<StreamResult<E>> {
    const settings = this.#embedSettings(options);
    return streamInGroups<TextInput, ReadyText, EmbedResult<E>>(checkIterable(texts), {
      tokenBudget: this.#parts.tokenBudget * STREAM_BATCHES,
      signal: options.signal,
      prepare: (text, index, signal) =>
        this.#reader.read(checkInput(text, index), index, settings, signal),
      embed: (group, signal) => this.#embedGroup<E>(group, settings, signal),
    });
  }

  tokenize(text: string): Int32Array {
    this.#checkOpen();
    const { tokenizer } = this.#parts;
    return surround(tokenizer, tokenizer.encode(checkText(text, 0)));
  }

  detokenize(ids: ArrayLike<number>): string {
    this.#checkOpen();
    return this.#parts.tokenizer.decode(ids);
  }

  chunk(document: string, options: DocumentOptions = {}): AsyncIterableIterator<Chunk> {
    this.#checkOpen();
    const { config, tokenizer, prompts } = this.#parts;
    const prompt = prompts.prefix(options);
    const chunkOptions = { ...options, prompt };
    return chunkText(tokenizer, config.contextLength, checkText(document, 0), chunkOptions);
  }

  async fingerprint(options: FingerprintOptions = {}): Promise<string> {
    const { config, content, prompts } = this.#parts;
    const { dimensions, normalize, encoding } = this.#settings(options);
    const { architecture, precision, pooling } = config;
    const file = await this.#track(content.sha256());
    const kind = [precision, pooling, dimensions, normalize, encoding, prompts.template(options)];
    return `${architecture}-${dimensions}-${nameOf([ARITHMETIC_VERSION, file, ...kind])}`;
  }

  async fingerprintLayers(text: string): Promise<LayerFingerprint[]> {
    this.#checkOpen();
    const { config, tokenizer, engine, layerEnds } = this.#parts;
    const { contextLength } = config;
    const settings = { ...this.#settings({}), dimensions: config.hiddenSize, normalize: false };
    // Not by the reader, which has no ids of a text whose vector it knows.
    const { ids } = prepareText({ tokenizer, contextLength }, settings, checkText(text, 0), 0);
    const batch = batchOf([{ ids }], settings, true);
    return await this.#track(fingerprintLayers(engine, batch, layerEnds));
  }

  get expectedWaitMs(): number {
    return this.#scheduler.expectedMs(this.#parts.admission.texts);
  }

  stats(): EmbedderStats {
    this.#checkOpen();
    const { admission, cache, engine } = this.#parts;
    const { waiting, running, totals, batchSizes, tokensPerMs } = this.#scheduler;
    const { variant, threads, weightBytes, workspaceBytes, sharers } = engine.stats();
    return {
      queue: { texts: admission.texts, limit: admission.limit, waiting },
      running,
      done: { ...totals },
      batchSizes: batchSizes.stats,
      calls: { ...this.#ended },
      tokensPerSecond: tokensPerMs === undefined ? undefined : tokensPerMs * 1000,
      cache: cache?.stats,
      memory: { weightBytes, workspaceBytes, sharers, processBytes: process.memoryUsage.rss() },
      variant,
      threads,
    };
  }

  close({ cancel = false }: CloseOptions = {}): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(() => this.#parts.engine.unload());
    if (cancel) for (const call of this.#calls) call.fail(closed());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #tokenLevel(): boolean {
    return this.config.pooling === "none";
  }

  /** A whole call, of so many texts. */
  async #run<E extends Encoding>(
    texts: number,
    read: Read,
    settings: Settings,
    signal: AbortSignal | undefined,
  ): Promise<EmbedResult<E>[]> {
    const call = this.#newCall<E>(texts, settings);
    this.#parts.admission.enter(texts);
    const line = this.#scheduler.enter(settings, call);
    turns.run(
      this.#feed(call, line, texts, read),
      (error) => call.fail(error),
      () => !call.isOver,
    );
    return await this.#finish(call, line, signal);
  }

  /** Makes a call's texts ready, in steps, and puts them into its line. */
  *#feed(
    call: Call<Encoding>,
    line: Line,
    texts: number,
    read: Read,
  ): Generator<undefined, void, undefined> {
    let group: Job[] = [];
    let tokens = 0;
    const tokens_max = GROUP_BATCHES * this.#parts.tokenBudget;
    for (let tag = 0; tag < texts; tag++) {
      const text = yield* read(tag);
      call.add(text);
      if (text.vector === undefined) group.push({ ids: text.ids, tag });
      tokens += text.ids.length;
      if (tokens >= tokens_max) {
        this.#scheduler.push(line, group);
        group = [];
        tokens = 0;
      }
      yield;
    }
    this.#scheduler.push(line, group);
  }

  /** A stream's texts, which are ready. */
  async #embedGroup<E extends Encoding>(
    group: readonly ReadyText[],
    settings: Settings,
    signal: AbortSignal,
  ): Promise<EmbedResult<E>[]> {
    const { admission } = this.#parts;
    while (admission.isFull) {
      await abortable(admission.room(), signal);
      this.#checkOpen();
    }
    signal.throwIfAborted();
    this.#checkOpen();
    const call = this.#newCall<E>(group.length, settings);
    admission.enter(group.length);
    const line = this.#scheduler.enter(settings, call);
    for (const text of group) call.add(text);
    const jobs = group.flatMap(({ ids, vector }, tag) => (vector ? [] : [{ ids, tag }]));
    this.#scheduler.push(line, jobs);
    return await this.#finish(call, line, signal);
  }

  #newCall<E extends Encoding>(texts: number, settings: Settings): Call<E> {
    const { cache } = this.#parts;
    const rows = newRows<E>(texts, settings, this.#tokenLevel);
    return new Call(texts, settings.tokenLimit, rows, ({ key, tokens, truncated }, vector) => {
      if (key !== undefined) cache?.put(key, { vector, tokens, truncated });
    });
  }

  /** Waits for a call's vectors, or for what ends it early. */
  async #finish<E extends Encoding>(
    call: Call<E>,
    line: Line,
    signal: AbortSignal | undefined,
  ): Promise<EmbedResult<E>[]> {
    const { admission } = this.#parts;
    const onAbort = () => call.fail(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#calls.add(call);
    try {
      await this.#track(call.finished);
      this.#ended.succeeded += 1;
      return call.results;
    } catch (error) {
      this.#ended[signal?.aborted ? "cancelled" : "failed"] += 1;
      throw error;
    } finally {
      this.#calls.delete(call);
      this.#scheduler.leave(line);
      admission.leave(call.results.length);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #embedSettings(options: Omit<EmbedOptions<Encoding>, "signal">): Settings {
    const settings = this.#settings(options);
    if (this.#parts.reranker === undefined) return settings;
    throw new GgufEmbedError(
      "UNSUPPORTED",
      `${this.config.name} is a reranker, which gives no vectors: it scores documents for a ` +
        "query. Use rerank, or an embedding model",
    );
  }

  #settings(options: Omit<EmbedOptions<Encoding>, "signal">): Settings {
    this.#checkOpen();
    return settingsFor(this.#model, options);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}

/** Makes a call's text of that tag ready, in steps. */
type Read = (tag: number) => Generator<undefined, ReadyText, undefined>;

function checkDocuments(documents: readonly string[]): readonly string[] {
  if (!Array.isArray(documents)) throw invalidArgument("the documents are not an array of strings");
  // A copy that the caller cannot change while the call runs.
  return Array.from(documents, checkText);
}

function noReranker({ name }: ModelConfig): GgufEmbedError {
  return new GgufEmbedError(
    "UNSUPPORTED",
    `${name} is an embedding model, which scores no pairs: embed query and documents and compare ` +
      "their vectors, or use a reranker",
  );
}

function closed(): GgufEmbedError {
  return new GgufEmbedError("CLOSED", "this model was closed; open it again to embed");
}
