/**
 * Embedding models for the Vercel AI SDK, version 7.
 *
 * @module
 */
import {
  APICallError,
  type EmbeddingModelV4,
  type EmbeddingModelV4CallOptions,
  type EmbeddingModelV4Result,
  NoSuchModelError,
  type ProviderV4,
  TooManyEmbeddingValuesForCallError,
} from "@ai-sdk/provider";
import { type EmbedOptions, type EmbedResult, GgufEmbedError } from "../index.ts";
import { type AdapterModel, type AdapterVectors, LazyModel, type ModelSource } from "./model.ts";

export type { AdapterModel, AdapterVectors, ModelSource } from "./model.ts";

/** By which the AI SDK knows us, in `providerOptions` too. */
const PROVIDER = "ggufembed";
/** Far below the texts that may wait in a model, so that callers beside each other all fit. */
const VALUES_MAX = 2048;

/** What the vectors of a model in the AI SDK have in common. */
export interface GgufModelSettings extends AdapterVectors {
  /**
   * What the texts are for, in the model's own terms (`"query"`, `"document"`, …). Default:
   * verbatim. Make a model for each, or name it in each call's `providerOptions`.
   */
  readonly task?: string | undefined;
  /** Texts of a call of the model; `embedMany` makes several of more. Default 2048. */
  readonly maxEmbeddingsPerCall?: number | undefined;
}

/** Options of `ggufEmbeddingModel`. */
export interface GgufModelOptions extends AdapterModel, GgufModelSettings {}

/**
 * What a call may say in `providerOptions.ggufembed`. It goes before what the model was made with.
 */
export type GgufCallOptions = {
  /** What the texts are for. */
  task?: string;
  /** What goes before the texts, in place of a task's prompt. */
  prompt?: string;
  /** Title of a document, where the prompt has a place for one. */
  title?: string;
  /** What to do with a text longer than the context: `"error"`, `"end"` or `"start"`. */
  truncate?: string;
  /** L2-normalise. */
  normalize?: boolean;
};

/** A model for `embed` and `embedMany` of the AI SDK. */
export interface GgufEmbeddingModel extends EmbeddingModelV4, AsyncDisposable {
  /** Waits for running calls, then closes the model if this object opened it. Idempotent. */
  close(): Promise<void>;
}

/**
 * A model for `embed` and `embedMany`. It is opened at the first use.
 *
 * A call gives vectors, tokens, and a warning where texts were truncated. It rejects with
 * what `open` and `Embedder.embed` reject with; but a full queue is an `APICallError`, which the
 * AI SDK tries again, and too many values are its `TooManyEmbeddingValuesForCallError`.
 *
 * @throws GgufEmbedError `INVALID_ARGUMENT`
 *
 * @example
 * ```ts
 * await using model = ggufEmbeddingModel({ model: "all-minilm-l6-v2", task: "document" });
 * const { embeddings, usage } = await embedMany({ model, values: ["one", "two"] });
 * ```
 */
export function ggufEmbeddingModel(options: GgufModelOptions): GgufEmbeddingModel {
  return new AiSdkModel(new LazyModel(options), options);
}

/** Options of `createGgufEmbed`. */
export interface GgufProviderOptions extends Pick<AdapterModel, "open"> {
  /** Models by names of your own. Other ids are taken as `open` takes them. */
  readonly models?: Readonly<Record<string, ModelSource>> | undefined;
}

/** A provider of embedding models, for the AI SDK's registry too. */
export interface GgufEmbedProvider extends ProviderV4, AsyncDisposable {
  /**
   * The model of an id: a name of `GgufProviderOptions.models`, or what `open` takes. It is opened
   * at the first use, once for all who ask for the id. Closing one closes it for all of them.
   */
  embeddingModel(modelId: string, settings?: GgufModelSettings): GgufEmbeddingModel;
  /** The same. */
  embedding(modelId: string, settings?: GgufModelSettings): GgufEmbeddingModel;
  /** The same. */
  textEmbeddingModel(modelId: string, settings?: GgufModelSettings): GgufEmbeddingModel;
  /** Closes all models that it opened. Idempotent. */
  close(): Promise<void>;
}

/**
 * A provider of embedding models. Of other kinds it has none: it throws `NoSuchModelError`.
 *
 * @example
 * ```ts
 * await using ggufembed = createGgufEmbed({ open: { threads: 2 } });
 * const model = ggufembed.embedding("all-minilm-l6-v2", { task: "query" });
 * const { embedding } = await embed({ model, value: "one" });
 * ```
 */
export function createGgufEmbed(options: GgufProviderOptions = {}): GgufEmbedProvider {
  const { models = {}, open } = options;
  const opened = new Map<string, LazyModel>();
  const modelOf = (id: string): LazyModel => {
    const model = Object.hasOwn(models, id) ? (models[id] ?? id) : id;
    // What is open already takes no options any more.
    const isOpen = typeof model !== "string" && !(model instanceof URL);
    const made = opened.get(id) ?? new LazyModel(isOpen ? { model } : { model, open });
    opened.set(id, made);
    return made;
  };
  const embedding = (modelId: string, settings: GgufModelSettings = {}) =>
    new AiSdkModel(modelOf(modelId), settings, modelId);
  const close = async () => {
    await Promise.all([...opened.values()].map((model) => model.close()));
  };
  return {
    specificationVersion: "v4",
    embeddingModel: embedding,
    embedding,
    textEmbeddingModel: embedding,
    languageModel(modelId) {
      throw new NoSuchModelError({ modelId, modelType: "languageModel" });
    },
    imageModel(modelId) {
      throw new NoSuchModelError({ modelId, modelType: "imageModel" });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

class AiSdkModel implements GgufEmbeddingModel {
  readonly specificationVersion = "v4";
  readonly provider = PROVIDER;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: number;
  // Parts of one embedMany call one after another: side by side, any number of them, they would
  // only fill the queue. Calls of others may run beside them.
  readonly supportsParallelCalls = false;
  readonly #model: LazyModel;
  readonly #settings: GgufModelSettings;

  constructor(model: LazyModel, settings: GgufModelSettings, modelId = model.label) {
    const { maxEmbeddingsPerCall = VALUES_MAX } = settings;
    if (!Number.isInteger(maxEmbeddingsPerCall) || maxEmbeddingsPerCall < 1) {
      throw invalid(
        `maxEmbeddingsPerCall is ${maxEmbeddingsPerCall}; it must be a whole number from 1`,
      );
    }
    this.modelId = modelId;
    this.maxEmbeddingsPerCall = maxEmbeddingsPerCall;
    this.#model = model;
    this.#settings = settings;
  }

  async doEmbed(call: EmbeddingModelV4CallOptions): Promise<EmbeddingModelV4Result> {
    const { values, abortSignal } = call;
    const { provider, modelId, maxEmbeddingsPerCall } = this;
    if (values.length > maxEmbeddingsPerCall) {
      const told = { provider, modelId, maxEmbeddingsPerCall, values };
      throw new TooManyEmbeddingValuesForCallError(told);
    }
    const options = optionsOf(this.#settings, call);
    const model = await this.#model.get(abortSignal);
    const results = await model.embed(values, options).catch((error: unknown) => {
      throw retryable(error, modelId);
    });
    return {
      embeddings: results.map(({ embedding }) => Array.from(embedding)),
      usage: { tokens: results.reduce((sum, { tokens }) => sum + tokens, 0) },
      warnings: truncations(results),
    };
  }

  close(): Promise<void> {
    return this.#model.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Of a call: what it says itself goes before the model's settings. */
function optionsOf(
  settings: GgufModelSettings,
  { dimensions, abortSignal, providerOptions }: EmbeddingModelV4CallOptions,
): EmbedOptions {
  const call = checkCall(providerOptions?.[PROVIDER] ?? {});
  const { truncate, normalize } = settings;
  return {
    signal: abortSignal,
    task: call.prompt === undefined ? settings.task : undefined,
    truncate,
    normalize,
    ...call,
    dimensions: dimensions ?? settings.dimensions,
  };
}

const CALL_TYPES: Readonly<Record<string, string>> = {
  task: "string",
  prompt: "string",
  title: "string",
  truncate: "string",
  normalize: "boolean",
};

function checkCall(options: Readonly<Record<string, unknown>>): Partial<EmbedOptions> {
  const where = `providerOptions.${PROVIDER}`;
  for (const [name, value] of Object.entries(options)) {
    const type = Object.hasOwn(CALL_TYPES, name) ? CALL_TYPES[name] : undefined;
    if (type === undefined) {
      const known = Object.keys(CALL_TYPES).join(", ");
      throw invalid(`${where} has ${JSON.stringify(name)}; known are ${known}`);
    }
    if (value !== undefined && typeof value !== type) {
      throw invalid(`${where}.${name} is ${JSON.stringify(value)}; it must be a ${type}`);
    }
  }
  return options;
}

/** A full queue empties: the AI SDK waits and tries again what says so. */
function retryable(error: unknown, modelId: string): unknown {
  if (!(error instanceof GgufEmbedError) || error.code !== "QUEUE_FULL") return error;
  return new APICallError({
    message: error.message,
    // There is no address; this is what the error's class wants.
    url: `${PROVIDER}:${modelId}`,
    requestBodyValues: {},
    isRetryable: true,
    cause: error,
  });
}

/** One for a call, since the AI SDK logs each; a call may be a part of `embedMany`'s values. */
function truncations(results: readonly EmbedResult[]): EmbeddingModelV4Result["warnings"] {
  const cut = results.filter(({ truncated }) => truncated > 0);
  if (cut.length === 0) return [];
  const lost = cut.reduce((sum, { truncated }) => sum + truncated, 0);
  const which = `${cut.length} of ${results.length} texts`;
  return [{ type: "other", message: `${which} did not fit the model and lost ${lost} tokens` }];
}

const invalid = (message: string) => new GgufEmbedError("INVALID_ARGUMENT", message);
