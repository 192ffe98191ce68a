/**
 * Embeddings for the Chroma client.
 *
 * @module
 */
import {
  type EmbeddingFunction,
  type EmbeddingFunctionSpace,
  knownEmbeddingFunctions,
  registerEmbeddingFunction,
} from "chromadb";
import { GgufEmbedError, type OpenOptions } from "../index.ts";
import { Retrieval, type RetrievalOptions } from "./retrieval.ts";

export type { AdapterModel, AdapterVectors, ModelSource } from "./model.ts";
export type { RetrievalOptions } from "./retrieval.ts";

/** As Chroma stores it with a collection. */
const NAME = "ggufembed";
const SPACES: EmbeddingFunctionSpace[] = ["cosine", "l2", "ip"];

/**
 * What Chroma stores with a collection, and makes the function from again: the model by name or
 * path, and all that changes its vectors. Threads, tokens for the hub and the like are not stored.
 */
export type ChromaConfig = Readonly<Record<string, unknown>>;

/**
 * A model as Chroma's `EmbeddingFunction`. Importing this module registers it as `ggufembed`, so
 * that collections find it again.
 *
 * @example
 * ```ts
 * await using embeddingFunction = new GgufEmbeddingFunction({ model: "all-minilm-l6-v2" });
 * const collection = await client.getOrCreateCollection({ name: "notes", embeddingFunction });
 * await collection.add({ ids: ["1", "2"], documents: ["one", "two"] });
 * const nearest = await collection.query({ queryTexts: ["the first"], nResults: 1 });
 * ```
 */
export class GgufEmbeddingFunction implements EmbeddingFunction, AsyncDisposable {
  /** By which Chroma knows it. */
  readonly name: string = NAME;
  /**
   * What Chroma stores with a collection. Absent where the model came open, since nobody could open
   * it again: then the collection needs the function each time it is fetched.
   */
  readonly getConfig?: () => ChromaConfig;
  readonly #model: Retrieval;

  /** Throws `INVALID_ARGUMENT`. The model is opened at the first use. */
  constructor(options: RetrievalOptions) {
    this.#model = new Retrieval(options);
    const { source } = this.#model;
    if (source !== undefined) this.getConfig = () => toConfig(source, options);
  }

  /** The function of a stored configuration. Throws `INVALID_ARGUMENT`. */
  static buildFromConfig(config: ChromaConfig): GgufEmbeddingFunction {
    return new GgufEmbeddingFunction(fromConfig(config));
  }

  /**
   * Vectors of documents, any number of them: it waits where too many wait. Rejects with what
   * `open` and `Embedder.stream` reject with.
   */
  generate(texts: string[]): Promise<number[][]> {
    return this.#model.documents(texts);
  }

  /** The same of queries. */
  generateForQueries(texts: string[]): Promise<number[][]> {
    return this.#model.queries(texts);
  }

  /** How Chroma compares vectors unless it is told otherwise. */
  defaultSpace(): EmbeddingFunctionSpace {
    return "cosine";
  }

  /** All ways in which Chroma may compare them. */
  supportedSpaces(): EmbeddingFunctionSpace[] {
    return [...SPACES];
  }

  /** Throws `INVALID_ARGUMENT` for what `getConfig` would never give. */
  validateConfig(config: ChromaConfig): void {
    fromConfig(config);
  }

  /**
   * Throws `INVALID_ARGUMENT` where vectors by the new configuration could not be compared with
   * those that the collection has.
   */
  validateConfigUpdate(config: ChromaConfig): void {
    this.validateConfig(config);
    const own = this.getConfig?.() ?? config;
    const changed = KEYS.find((key) => !Bun.deepEquals(own[key], config[key]));
    if (changed === undefined) return;
    throw invalid(
      `${changed} would change from ${told(own[changed])} to ${told(config[changed])}, and the ` +
        "collection's vectors could not be compared with new ones: make another collection",
    );
  }

  /** Waits for running calls, then closes the model if this object opened it. Idempotent. */
  close(): Promise<void> {
    return this.#model.close();
  }

  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** How each key of a configuration is spelled, and of which type it is; null is a task. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  model: ["string"],
  query_task: ["string", "null"],
  document_task: ["string", "null"],
  dimensions: ["number"],
  truncate: ["string"],
  normalize: ["boolean"],
  pooling: ["string"],
  precision: ["string"],
  prompts: ["object"],
};
const KEYS = Object.keys(TYPES);

function toConfig(model: string, options: RetrievalOptions): ChromaConfig {
  const { queryTask, documentTask, dimensions, truncate, normalize, open = {} } = options;
  const { pooling, precision, prompts } = open;
  const tasks = { query_task: queryTask, document_task: documentTask };
  const all = { model, ...tasks, dimensions, truncate, normalize, pooling, precision, prompts };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function fromConfig(config: ChromaConfig): RetrievalOptions {
  for (const [key, value] of Object.entries(config)) {
    const types = TYPES[key];
    if (types === undefined) {
      throw invalid(`there is no ${key} in a configuration; known are ${KEYS.join(", ")}`);
    }
    if (types.includes(value === null ? "null" : typeof value)) continue;
    throw invalid(`${key} is ${told(value)}; it must be of type ${types.join(" or ")}`);
  }
  const { model, query_task, document_task, dimensions, truncate, normalize, ...open } =
    config as StoredConfig;
  if (model === undefined) throw invalid("a configuration lacks model, a name or a path");
  const vectors = { dimensions, truncate, normalize };
  return { model, open, queryTask: query_task, documentTask: document_task, ...vectors };
}

/** A configuration whose types were checked; choices are checked where they are used. */
interface StoredConfig
  extends Pick<RetrievalOptions, "dimensions" | "truncate" | "normalize">,
    Pick<OpenOptions, "pooling" | "precision" | "prompts"> {
  readonly model?: string;
  readonly query_task?: string | null;
  readonly document_task?: string | null;
}

const told = (value: unknown) => JSON.stringify(value) ?? "unset";
const invalid = (message: string) => new GgufEmbedError("INVALID_ARGUMENT", message);

// Once, though the module may be loaded from two copies of the package.
if (!knownEmbeddingFunctions.has(NAME)) registerEmbeddingFunction(NAME, GgufEmbeddingFunction);
