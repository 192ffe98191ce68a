/**
 * Embeddings for LangChain.js.
 *
 * @module
 */
import { Embeddings, type EmbeddingsParams } from "@langchain/core/embeddings";
import { Retrieval, type RetrievalOptions } from "./retrieval.ts";

export type { AdapterModel, AdapterVectors, ModelSource } from "./model.ts";
export type { RetrievalOptions } from "./retrieval.ts";

/** Options of `GgufEmbeddings`: LangChain's own, and which model. */
export interface GgufEmbeddingsOptions extends EmbeddingsParams, RetrievalOptions {}

/**
 * A model as LangChain's `Embeddings`, for its vector stores and retrievers. Nothing is tried
 * again: what fails here fails the same way the next time.
 *
 * @example
 * ```ts
 * await using embeddings = new GgufEmbeddings({ model: "all-minilm-l6-v2" });
 * const store = await MemoryVectorStore.fromTexts(["one", "two"], [{}, {}], embeddings);
 * const [nearest] = await store.similaritySearch("the first", 1);
 * ```
 */
export class GgufEmbeddings extends Embeddings implements AsyncDisposable {
  readonly #model: Retrieval;

  /** Throws `INVALID_ARGUMENT`. The model is opened at the first use. */
  constructor(options: GgufEmbeddingsOptions) {
    super(options);
    this.#model = new Retrieval(options);
  }

  /**
   * Vectors of texts that are to be searched, any number of them: it waits where too many wait.
   * Rejects with what `open` and `Embedder.stream` reject with.
   */
  override embedDocuments(documents: string[]): Promise<number[][]> {
    return this.#model.documents(documents);
  }

  /**
   * The vector of a text that is searched for. Rejects with what `open` and `Embedder.embed`
   * reject with.
   */
  override embedQuery(document: string): Promise<number[]> {
    return this.#model.query(document);
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
