import type { Database } from "bun:sqlite";
import { GgufEmbedError, invalidArgument } from "../errors.ts";
import { open } from "../open.ts";
import { checkChoice } from "../pipeline/settings.ts";
import type { Embedder } from "../types.ts";
import { bytesOf, inPlace, openDatabase } from "./database.ts";
import { documentsOf } from "./filter.ts";
import { fuse } from "./fuse.ts";
import { Indexer } from "./indexer.ts";
import { RERANKED_MIN, rerankHits } from "./second-stage.ts";
import { checkFixed, checkModel, newSettings, readSettings, storeSettings } from "./settings.ts";
import { Store } from "./store.ts";
import { findByText } from "./text-search.ts";
import type {
  AddOptions,
  AddReport,
  IndexDocument,
  IndexedDocument,
  IndexFilter,
  IndexHit,
  IndexSearchOptions,
  IndexSettings,
  IndexStats,
  SearchIndex,
  SearchIndexOptions,
  SearchMode,
} from "./types.ts";
import { findByVector, type Scored, similarities } from "./vector-search.ts";

const MODES: readonly SearchMode[] = ["hybrid", "vector", "text"];
const LIMIT = 10;
const LIMIT_MAX = 10_000;
/** How much of each order counts when two are fused. */
const FUSED_MIN = 100;
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens an index of documents, or makes one.
 *
 * @throws GgufEmbedError `FILE_NOT_FOUND` where the file is not there and not to be made, or may
 *   not be written; `BAD_INDEX` where it is something else; `NATIVE` where sqlite-vec is missing;
 *   `INDEX_BUSY`, `INVALID_ARGUMENT`
 *
 * @example
 * ```ts
 * await using index = await openSearchIndex({ path: ":memory:", model });
 * await index.add([{ id: "mars", text: "Mars looks rusty because of its iron." }]);
 * for (const { id, score } of await index.search("the red planet")) console.log(id, score);
 * ```
 */
export async function openSearchIndex(options: SearchIndexOptions): Promise<SearchIndex> {
  const { path, create = true, busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  if (typeof path !== "string" || path === "") throw invalidArgument("path is no file's name");
  if (!Number.isSafeInteger(busyTimeoutMs) || busyTimeoutMs < 0) {
    throw invalidArgument(`busyTimeoutMs is ${busyTimeoutMs}; it must be a whole number from 0`);
  }
  const database = await openDatabase({ path, create, busyTimeoutMs });
  try {
    const stored = readSettings(database);
    if (stored !== undefined) checkFixed(stored, options);
    return new SqliteIndex(database, options);
  } catch (error) {
    database.close();
    throw inPlace(error, path);
  }
}

interface FirstStage extends IndexSearchOptions {
  readonly limit: number;
  readonly mode: SearchMode;
}

/** Lifetime of one open index. */
class SqliteIndex implements SearchIndex {
  readonly #database: Database;
  readonly #store: Store;
  readonly #options: SearchIndexOptions;
  readonly #running = new Set<Promise<unknown>>();
  #model: Promise<Embedder> | undefined;
  #checked: Promise<IndexSettings> | undefined;
  #closing: Promise<void> | undefined;

  constructor(database: Database, options: SearchIndexOptions) {
    this.#database = database;
    this.#store = new Store(database);
    this.#options = options;
  }

  add(
    documents: IndexDocument | Iterable<IndexDocument> | AsyncIterable<IndexDocument>,
    options: AddOptions = {},
  ): Promise<AddReport> {
    return this.#run(async () => {
      options.signal?.throwIfAborted();
      const model = await this.#openModel();
      const settings = await this.#settingsFor(model);
      const parts = { database: this.#database, store: this.#store, model, settings };
      return await new Indexer(parts, options).add(isMany(documents) ? documents : [documents]);
    });
  }

  remove(ids: string | Iterable<string>): number {
    return this.#now(() => {
      const remove = this.#database.transaction(() => {
        let count = 0;
        for (const id of typeof ids === "string" ? [ids] : ids) {
          if (this.#store.removeDocument(id)) count++;
        }
        return count;
      });
      return remove.immediate();
    });
  }

  search(query: string, options: IndexSearchOptions = {}): Promise<IndexHit[]> {
    return this.#run(async () => {
      const { limit = LIMIT, mode = "hybrid", reranker, signal } = options;
      if (typeof query !== "string") throw invalidArgument("the query is not a string");
      if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
        const expected = `it must be a whole number from 1 to ${LIMIT_MAX}`;
        throw invalidArgument(`limit is ${limit}; ${expected}`);
      }
      checkChoice("mode", mode, MODES);
      signal?.throwIfAborted();
      if (reranker === undefined) return await this.#find(query, { ...options, limit, mode });
      const count = Math.max(limit, RERANKED_MIN);
      const hits = await this.#find(query, { ...options, limit: count, mode });
      return await rerankHits(reranker, query, hits, limit, signal);
    });
  }

  /** The first stage, and mostly the only one. */
  async #find(query: string, options: FirstStage): Promise<IndexHit[]> {
    const { limit, mode, filter, signal } = options;
    const documents = documentsOf(filter);
    const settings = readSettings(this.#database);
    if (settings === undefined) return [];
    if (mode === "text") {
      return this.#locate(findByText(this.#database, query, limit, documents), options);
    }
    const isHybrid = mode === "hybrid";
    const count = isHybrid ? Math.max(limit, FUSED_MIN) : limit;
    const model = await this.#openModel();
    const embedding = this.#embed(model, query, settings, signal);
    // Told below. Meanwhile this thread has time for the words.
    embedding.catch(() => {});
    const byText = isHybrid ? findByText(this.#database, query, count, documents) : [];
    const vector = await embedding;
    const { exact = false } = options;
    const byVector = await findByVector(this.#database, {
      vector,
      count,
      documents,
      exact,
      signal,
    });
    if (!isHybrid) return this.#locate(byVector, options, new Map());
    const fused = fuse([byVector.slice(0, count), byText]);
    const known = new Map(byVector.map(({ passage, score }) => [passage, score]));
    const unknown = byText.map(({ passage }) => passage).filter((id) => !known.has(id));
    for (const [id, score] of await similarities(this.#database, vector, unknown)) {
      known.set(id, score);
    }
    return this.#locate(fused, options, known);
  }

  documents(filter?: IndexFilter): IndexedDocument[] {
    return this.#now(() => this.#store.documents(documentsOf(filter)));
  }

  stats(): IndexStats {
    return this.#now(() => {
      const { path } = this.#options;
      const stats = { path, ...this.#store.counts(), bytes: bytesOf(path) };
      const settings = readSettings(this.#database);
      return settings === undefined ? stats : { ...stats, settings };
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    this.#database.close();
    if (isEmbedder(this.#options.model)) return;
    const opened = await this.#model?.catch(() => undefined);
    await opened?.close();
  }

  /** Where the best stand, until there are enough. */
  #locate(
    best: readonly Scored[],
    { limit, filter }: FirstStage,
    similarity?: ReadonlyMap<number, number>,
  ): IndexHit[] {
    const documents = documentsOf(filter);
    const hits: IndexHit[] = [];
    for (const { passage, score } of best) {
      if (hits.length === limit) break;
      const found = this.#store.locate(passage, documents);
      if (found === undefined) continue;
      const cosine = similarity === undefined ? undefined : (similarity.get(passage) ?? score);
      hits.push({ ...found, score, ...(cosine === undefined ? {} : { similarity: cosine }) });
    }
    return hits;
  }

  async #embed(
    model: Embedder,
    query: string,
    stored: IndexSettings,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const checking = this.#settingsFor(model);
    const { dimensions, queryTask } = stored;
    const task = queryTask ?? undefined;
    // At the same time: reading a model's file takes longer than embedding a query.
    const embedding = model.embed(query, { task, dimensions, normalize: true, signal });
    embedding.catch(() => {});
    await checking;
    return (await embedding).embedding;
  }

  #openModel(): Promise<Embedder> {
    this.#model ??= this.#open().catch((error) => {
      this.#model = undefined;
      throw error;
    });
    return this.#model;
  }

  async #open(): Promise<Embedder> {
    const { model: given, path, open: options } = this.#options;
    if (isEmbedder(given)) return checkPooling(given);
    const stored = readSettings(this.#database);
    const source = given ?? stored?.model;
    if (source === undefined || source === "") {
      throw invalidArgument(`${path}: which model? name it, since the index does not`);
    }
    const { precision, pooling } = stored ?? {};
    return checkPooling(await open(source, { precision, pooling, ...options }));
  }

  /** What is stored; of the first model, what it brings. */
  #settingsFor(model: Embedder): Promise<IndexSettings> {
    this.#checked ??= this.#check(model).catch((error) => {
      this.#checked = undefined;
      throw error;
    });
    return this.#checked;
  }

  async #check(model: Embedder): Promise<IndexSettings> {
    const { path } = this.#options;
    const stored = readSettings(this.#database);
    if (stored !== undefined) {
      await checkModel(path, stored, model);
      return stored;
    }
    storeSettings(this.#database, await newSettings(model, this.#options));
    // Another process may have been first, with another model.
    const first = readSettings(this.#database)!;
    checkFixed(first, this.#options);
    await checkModel(path, first, model);
    return first;
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new GgufEmbedError("CLOSED", "this index was closed; open it again");
  }

  #now<T>(work: () => T): T {
    this.#checkOpen();
    try {
      return work();
    } catch (error) {
      throw inPlace(error, this.#options.path);
    }
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    const promise = work();
    this.#running.add(promise);
    try {
      return await promise;
    } catch (error) {
      throw inPlace(error, this.#options.path);
    } finally {
      this.#running.delete(promise);
    }
  }
}

function isMany<T>(value: object | Iterable<T> | AsyncIterable<T>): value is Iterable<T> {
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

function isEmbedder(model: SearchIndexOptions["model"]): model is Embedder {
  return typeof model === "object" && !(model instanceof URL);
}

function checkPooling(model: Embedder): Embedder {
  if (model.config.pooling !== "none") return model;
  const name = model.config.name;
  throw invalidArgument(`${name} gives a vector for each token: open it with another pooling`);
}
