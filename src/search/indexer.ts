import type { Database } from "bun:sqlite";
import { invalidArgument } from "../errors.ts";
import type { Embedder } from "../types.ts";
import { LineCounter } from "./lines.ts";
import {
  type Fate,
  hashOf,
  hashOfDocument,
  type Piece,
  type ReadyDocument,
  type Store,
} from "./store.ts";
import type { AddOptions, AddReport, IndexDocument, IndexSettings } from "./types.ts";

/** Tokens of a batch, which is a call of the model and a transaction. */
const BATCH_TOKENS = 16_384;
/** Documents of a batch, where few of them have anything to embed. */
const BATCH_DOCUMENTS = 256;
/** Batches that the model has at once, so that it need not wait for what is written. */
const BATCHES_AHEAD = 2;

/** Texts that are embedded together, and documents that are complete with them. */
class Batch {
  readonly pieces: Piece[] = [];
  readonly documents: { readonly ready: ReadyDocument; readonly fate: Fate }[] = [];
  tokens = 0;
  /** Whether its last texts are of a document that is completed by a later batch. */
  isOpen = false;

  get isFull(): boolean {
    return this.tokens >= BATCH_TOKENS || this.documents.length >= BATCH_DOCUMENTS;
  }
}

/** A batch that the model has. */
interface Flight {
  readonly batch: Batch;
  readonly vectors: Promise<readonly Float32Array[]>;
}

export interface IndexerParts {
  readonly database: Database;
  readonly store: Store;
  readonly model: Embedder;
  readonly settings: IndexSettings;
}

/** One call of `SearchIndex.add`: documents → chunks → vectors → rows. */
export class Indexer {
  readonly #parts: IndexerParts;
  readonly #options: AddOptions;
  readonly #report = { added: 0, changed: 0, unchanged: 0, embedded: 0, tokens: 0 };
  readonly #flights: Flight[] = [];
  /** Hashes, in hexadecimal, of texts that a batch has and the index not yet. */
  readonly #pending = new Set<string>();
  #batch = new Batch();
  #characters = 0;

  constructor(parts: IndexerParts, options: AddOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async add(documents: Iterable<unknown> | AsyncIterable<unknown>): Promise<AddReport> {
    const { database, store } = this.#parts;
    try {
      for await (const document of documents) {
        this.#options.signal?.throwIfAborted();
        await this.#take(checkDocument(document));
      }
      // Writing may find that a document has to be embedded once more.
      while (this.#batch.documents.length + this.#flights.length > 0) {
        await this.#send();
        while (this.#flights.length > 0) await this.#land();
      }
    } finally {
      // Whatever ended the work, nobody waits for these any more.
      for (const { vectors } of this.#flights) vectors.catch(() => {});
    }
    database.transaction(() => store.finish()).immediate();
    return { ...this.#report };
  }

  async #take(document: IndexDocument): Promise<void> {
    const { store, model, settings } = this.#parts;
    const hash = hashOfDocument(document);
    const fate = store.fateOf(document.id, hash);
    if (fate === "unchanged") {
      this.#report.unchanged++;
      this.#characters += document.text.length;
      this.#tell();
      return;
    }
    const { maxTokens, overlap } = settings;
    const task = settings.documentTask ?? undefined;
    const { signal } = this.#options;
    const pieces: Piece[] = [];
    const [starts, ends] = [new LineCounter(document.text), new LineCounter(document.text)];
    for await (const chunk of model.chunk(document.text, { maxTokens, overlap, task, signal })) {
      const { text, tokens, start, end } = chunk;
      const lines = { line: starts.at(start), lineEnd: ends.at(end - 1) };
      const piece = { hash: hashOf(text), text, tokens, first: start, last: end, ...lines };
      pieces.push(piece);
      this.#want(piece);
      if (!this.#batch.isFull) continue;
      this.#batch.isOpen = true;
      await this.#send();
    }
    this.#batch.documents.push({ ready: { document, hash, pieces }, fate });
    if (this.#batch.isFull) await this.#send();
  }

  #want(piece: Piece): void {
    const key = piece.hash.toHex();
    if (this.#pending.has(key) || this.#parts.store.hasPassage(piece.hash)) return;
    this.#pending.add(key);
    this.#batch.pieces.push(piece);
    this.#batch.tokens += piece.tokens;
  }

  /** Gives the batch to the model, and waits where that has enough. */
  async #send(): Promise<void> {
    const batch = this.#batch;
    this.#batch = new Batch();
    const vectors = this.#embed(batch.pieces);
    // What goes wrong is told when it lands.
    vectors.catch(() => {});
    this.#flights.push({ batch, vectors });
    if (this.#flights.length >= BATCHES_AHEAD) await this.#land();
  }

  async #embed(pieces: readonly Piece[]): Promise<readonly Float32Array[]> {
    if (pieces.length === 0) return [];
    const { model, settings } = this.#parts;
    const texts = pieces.map(({ text }) => text);
    const results = await model.embed(texts, {
      task: settings.documentTask ?? undefined,
      dimensions: settings.dimensions,
      normalize: true,
      signal: this.#options.signal,
    });
    return results.map(({ embedding }) => embedding);
  }

  /** Writes the batch that was sent first. */
  async #land(): Promise<void> {
    const { batch, vectors } = this.#flights[0]!;
    const embedded = (await vectors).map((vector, i) => ({ piece: batch.pieces[i]!, vector }));
    this.#flights.shift();
    const { database, store } = this.#parts;
    const again: typeof batch.documents = [];
    const write = database.transaction(() => {
      again.length = 0;
      if (embedded.length > 0) store.addPassages(embedded);
      for (const each of batch.documents) {
        if (store.putDocument(each.ready).length > 0) again.push(each);
      }
      // They stay, so that a long document that is interrupted need not be embedded again.
      if (batch.isOpen || again.length > 0) store.leaveOpen();
    });
    write.immediate();
    for (const { hash } of batch.pieces) this.#pending.delete(hash.toHex());
    for (const each of again) {
      for (const piece of each.ready.pieces) this.#want(piece);
      this.#batch.documents.push(each);
    }
    this.#count(batch, new Set(again));
  }

  #count({ documents, pieces, tokens }: Batch, again: ReadonlySet<unknown>): void {
    this.#report.embedded += pieces.length;
    this.#report.tokens += tokens;
    for (const each of documents) {
      if (again.has(each)) continue;
      this.#characters += each.ready.document.text.length;
      if (each.fate !== "unchanged") this.#report[each.fate]++;
    }
    this.#tell();
  }

  #tell(): void {
    const { added, changed, unchanged, embedded, tokens } = this.#report;
    const documents = added + changed + unchanged;
    this.#options.onProgress?.({ documents, characters: this.#characters, embedded, tokens });
  }
}

function checkDocument(document: unknown): IndexDocument {
  const { id, text, metadata } = (document ?? {}) as Partial<IndexDocument>;
  if (typeof id !== "string" || id === "") {
    throw invalidArgument("a document has no id: it must be a string that is not empty");
  }
  if (typeof text !== "string") {
    throw invalidArgument(`the text of document ${JSON.stringify(id)} is not a string`);
  }
  if (metadata === undefined) return { id, text };
  const isFlat = Object.values(metadata).every(
    (value) => value === null || ["string", "number", "boolean"].includes(typeof value),
  );
  if (isFlat) return { id, text, metadata };
  const allowed = "its values must be strings, numbers, booleans or null";
  throw invalidArgument(`the metadata of document ${JSON.stringify(id)}: ${allowed}`);
}
