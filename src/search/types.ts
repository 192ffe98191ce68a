import type { Pooling, Precision } from "../arch/plan.ts";
import type { Embedder, OpenOptions } from "../types.ts";

/**
 * What a search goes by: `"vector"` the meaning, `"text"` the words (BM25), `"hybrid"` both.
 */
export type SearchMode = "hybrid" | "vector" | "text";

/** What `IndexDocument.metadata` may hold. */
export type MetadataValue = string | number | boolean | null;

/** How an index is opened. What is stored in it counts where an option is left out. */
export interface SearchIndexOptions {
  /** File of the index, made if it is not there; `":memory:"` for one that is never a file. */
  readonly path: string;
  /**
   * An open model, which stays its owner's; or what `open` takes: then it is opened when it is
   * first needed, and closed with the index. Default: the one that the index was made with, from
   * where it was then.
   */
  readonly model?: Embedder | string | URL | undefined;
  /**
   * Where an open model came from: what the index will open by itself later, where it is opened
   * without a model.
   */
  readonly source?: string | undefined;
  /** How to open the model, where it is not open yet. */
  readonly open?: OpenOptions | undefined;
  /** Whether to make the index where it is not there. Default `true`. */
  readonly create?: boolean | undefined;
  /** Most tokens of a chunk, special tokens and prompt included. Default 256, or the context. */
  readonly maxTokens?: number | undefined;
  /** About how many tokens a chunk repeats of the one before. Default 0. */
  readonly overlap?: number | undefined;
  /** Keep the first so many components (Matryoshka). Default: all. */
  readonly dimensions?: number | undefined;
  /**
   * Task of what is indexed. Default `"document"` where the model has it, else and with `null`
   * verbatim.
   */
  readonly documentTask?: string | null | undefined;
  /**
   * Task of what is searched for. Default `"query"` where the model has it, else and with `null`
   * verbatim.
   */
  readonly queryTask?: string | null | undefined;
  /** Milliseconds to wait while another process writes, before `INDEX_BUSY`. Default 10,000. */
  readonly busyTimeoutMs?: number | undefined;
}

/** A document to be found. */
export interface IndexDocument {
  /** Names it: a document that comes again under the same id takes the place of the former. */
  readonly id: string;
  /** Cut into chunks, each of which is found by itself. */
  readonly text: string;
  /** Comes back with what is found, and can be asked for by `IndexFilter`. */
  readonly metadata?: Readonly<Record<string, MetadataValue>> | undefined;
}

/** How far `SearchIndex.add` is. */
export interface IndexProgress {
  /** Documents that are in the index now, or were there already. */
  readonly documents: number;
  /** UTF-16 units of their texts. */
  readonly characters: number;
  /** Chunks that went through the model. */
  readonly embedded: number;
  /** Their tokens. */
  readonly tokens: number;
}

/** How documents are added. */
export interface AddOptions {
  /** Ends the work with the signal's reason. What is in the index by then stays there. */
  readonly signal?: AbortSignal | undefined;
  /** Is told whenever something has been written. */
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
}

/** What `SearchIndex.add` did. */
export interface AddReport {
  /** Documents that were not there before. */
  readonly added: number;
  /** Documents that were there with another text or other metadata. */
  readonly changed: number;
  /** Documents that were there as they are. */
  readonly unchanged: number;
  /** Chunks that went through the model: those whose text was not in the index yet. */
  readonly embedded: number;
  /** Their tokens. */
  readonly tokens: number;
}

/** Which documents to look at. Both conditions count. */
export interface IndexFilter {
  /** Pattern of ids as SQLite's `GLOB` has it: `*` is any characters, slashes too; `?`, `[a-z]`. */
  readonly id?: string | undefined;
  /** Values that the metadata must have under these names. */
  readonly metadata?: Readonly<Record<string, MetadataValue>> | undefined;
}

/** How an index is searched. */
export interface IndexSearchOptions {
  /** How many chunks to find at most. Default 10. */
  readonly limit?: number | undefined;
  /** Default `"hybrid"`. */
  readonly mode?: SearchMode | undefined;
  /** Default: all documents. */
  readonly filter?: IndexFilter | undefined;
  /**
   * Compare the query with every vector, however many there are. Default: from 10,000 chunks on
   * with those alone whose codes of a few bits a component are most like its own.
   */
  readonly exact?: boolean | undefined;
  /**
   * A second stage: an open reranker, which reads the query with each of the best chunks, 50 or
   * `limit` if that is more, and puts them in its own order. Default: none.
   */
  readonly reranker?: Embedder | undefined;
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A chunk that was found. */
export interface IndexHit {
  /** Of its document. Of several with the very same chunk, the first. */
  readonly id: string;
  /** `document.slice(start, end)`. */
  readonly text: string;
  /** Where it begins in the document, in UTF-16 units. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** Line of its first character, from 1. */
  readonly line: number;
  /** Line of its last character. */
  readonly lineEnd: number;
  /**
   * What the order is by, higher is better: a cosine, BM25, or for `"hybrid"` the sum of
   * `1 / (60 + rank)` over both (reciprocal rank fusion, Cormack et al. 2009); with a reranker
   * its score, from 0 to 1.
   */
  readonly score: number;
  /** Cosine of query and chunk; absent with mode `"text"`. */
  readonly similarity?: number;
  /** As it was added; absent where there was none. */
  readonly metadata?: Readonly<Record<string, MetadataValue>>;
}

/** A document as the index knows it. */
export interface IndexedDocument {
  /** As it was added. */
  readonly id: string;
  /** How many chunks it has. */
  readonly chunks: number;
}

/** What an index holds, and how it was made. */
export interface IndexStats {
  /** Its file. */
  readonly path: string;
  /** Documents in it. */
  readonly documents: number;
  /** Different chunks in them, each of which has a vector. */
  readonly chunks: number;
  /** On disk. */
  readonly bytes: number;
  /** Absent until something was added. */
  readonly settings?: IndexSettings;
}

/** What all vectors of an index have in common. It is fixed when the first document is added. */
export interface IndexSettings {
  /** Where the model was opened from; empty where it came open. */
  readonly model: string;
  /** What the model calls itself. */
  readonly modelName: string;
  /** With which it was opened. */
  readonly precision: Precision;
  /** With which it was opened, be it the file's own. */
  readonly pooling: Pooling;
  /** Of the vectors, as `Embedder.fingerprint` gives it. */
  readonly fingerprint: string;
  /** Components of a vector. */
  readonly dimensions: number;
  /** Most tokens of a chunk. */
  readonly maxTokens: number;
  /** Tokens that a chunk repeats. */
  readonly overlap: number;
  /** Of what is indexed; `null` for none. */
  readonly documentTask: string | null;
  /** Of what is searched for; `null` for none. */
  readonly queryTask: string | null;
}

/**
 * Documents in a file, found by meaning and by words. Safe to call from many tasks at once, and
 * from several processes on one file: searches see whole batches, writers wait for each other.
 */
export interface SearchIndex extends AsyncDisposable {
  /**
   * Adds documents, or replaces those of the same id. A document whose text is there already is
   * left alone, and a chunk whose text is anywhere in the index is not embedded again. Every batch
   * is one transaction: what was interrupted goes on where it was when the same documents come
   * again.
   *
   * Rejects with the signal's reason, with what `Embedder.embed` and `open` reject with, with
   * `WRONG_MODEL` where the index has vectors of another model, and with `INDEX_BUSY`.
   */
  add(
    documents: IndexDocument | Iterable<IndexDocument> | AsyncIterable<IndexDocument>,
    options?: AddOptions,
  ): Promise<AddReport>;
  /** Removes documents, and returns how many were there. Throws `INDEX_BUSY`, `CLOSED`. */
  remove(ids: string | Iterable<string>): number;
  /**
   * The chunks that answer a query best. Any text is a valid query.
   *
   * Rejects with `INVALID_ARGUMENT`, `WRONG_MODEL`, and what `Embedder.embed` and `open` reject
   * with. With mode `"text"` no model is needed.
   */
  search(query: string, options?: IndexSearchOptions): Promise<IndexHit[]>;
  /** The documents that a filter lets through, by id. Throws `CLOSED`. */
  documents(filter?: IndexFilter): IndexedDocument[];
  /** What is there. Throws `CLOSED`. */
  stats(): IndexStats;
  /** Closes the file, and the model if the index opened it. Idempotent. */
  close(): Promise<void>;
}
