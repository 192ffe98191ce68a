/**
 * Embeddings for LlamaIndex.TS.
 *
 * @module
 */
import { BaseEmbedding } from "@llamaindex/core/embeddings";
import type { MessageContentDetail } from "@llamaindex/core/llms";
import { extractSingleText } from "@llamaindex/core/utils";
import { Retrieval, type RetrievalOptions } from "./retrieval.ts";

export type { AdapterModel, AdapterVectors, ModelSource } from "./model.ts";
export type { RetrievalOptions } from "./retrieval.ts";

/** Texts of a batch, between two reports of progress: enough for every core. */
const BATCH_TEXTS = 512;

/** Options of `GgufEmbedding`. */
export interface GgufEmbeddingOptions extends RetrievalOptions {
  /** Texts between two reports of progress. Default 512. */
  readonly embedBatchSize?: number | undefined;
}

/**
 * A model as LlamaIndex's `BaseEmbedding`, for `Settings.embedModel` and its indices.
 *
 * @example
 * ```ts
 * Settings.embedModel = new GgufEmbedding({ model: "all-minilm-l6-v2" });
 * const index = await VectorStoreIndex.fromDocuments([new Document({ text: "one" })]);
 * const nearest = await index.asRetriever().retrieve("the first");
 * ```
 */
export class GgufEmbedding extends BaseEmbedding implements AsyncDisposable {
  readonly #model: Retrieval;

  /** Throws `INVALID_ARGUMENT`. The model is opened at the first use. */
  constructor(options: GgufEmbeddingOptions) {
    super();
    this.#model = new Retrieval(options);
    this.embedBatchSize = options.embedBatchSize ?? BATCH_TEXTS;
  }

  /** The vector of a text that is to be searched. Rejects as `getTextEmbeddings` does. */
  override async getTextEmbedding(text: string): Promise<number[]> {
    const [vector] = await this.#model.documents([text]);
    return vector ?? [];
  }

  /**
   * Vectors of texts that are to be searched, any number of them: it waits where too many wait.
   * Rejects with what `open` and `Embedder.stream` reject with.
   */
  override getTextEmbeddings = (texts: string[]): Promise<number[][]> =>
    this.#model.documents(texts);

  /**
   * The vector of a text that is searched for; null for what is no text. Rejects with what `open`
   * and `Embedder.embed` reject with.
   */
  override async getQueryEmbedding(query: MessageContentDetail): Promise<number[] | null> {
    const text = extractSingleText(query);
    return text === null ? null : await this.#model.query(text);
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
