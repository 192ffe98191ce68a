import type { Embedder, EmbedOptions } from "../index.ts";
import { type AdapterModel, type AdapterVectors, LazyModel } from "./model.ts";

/** Options of adapters that tell queries from documents. */
export interface RetrievalOptions extends AdapterModel, AdapterVectors {
  /**
   * Task of texts that are searched for. Default `"query"` where the model has it, else and with
   * `null` verbatim.
   */
  readonly queryTask?: string | null | undefined;
  /**
   * Task of texts that are searched. Default `"document"` where the model has it, else and with
   * `null` verbatim.
   */
  readonly documentTask?: string | null | undefined;
}

/** Vectors of queries and of documents, as plain arrays. */
export class Retrieval extends LazyModel {
  readonly #options: RetrievalOptions;

  constructor(options: RetrievalOptions) {
    super(options);
    this.#options = options;
  }

  /** Rejects with what `Embedder.embed` and `open` reject with, `QUEUE_FULL` too. */
  async query(text: string): Promise<number[]> {
    const model = await this.get();
    const { embedding } = await model.embed(text, this.#settings(model, "query"));
    return Array.from(embedding);
  }

  queries(texts: readonly string[]): Promise<number[][]> {
    return this.#many(texts, "query");
  }

  documents(texts: readonly string[]): Promise<number[][]> {
    return this.#many(texts, "document");
  }

  /** Any number of texts: a stream waits where a call would be refused by a full queue. */
  async #many(texts: readonly string[], purpose: Purpose): Promise<number[][]> {
    const model = await this.get();
    const vectors: number[][] = [];
    for await (const { embedding } of model.stream(texts, this.#settings(model, purpose))) {
      vectors.push(Array.from(embedding));
    }
    return vectors;
  }

  #settings(model: Embedder, purpose: Purpose): EmbedOptions {
    const { dimensions, truncate, normalize, queryTask, documentTask } = this.#options;
    const asked = purpose === "query" ? queryTask : documentTask;
    const usual = model.tasks.includes(purpose) ? purpose : null;
    const task = (asked === undefined ? usual : asked) ?? undefined;
    return { task, dimensions, truncate, normalize };
  }
}

type Purpose = "query" | "document";
