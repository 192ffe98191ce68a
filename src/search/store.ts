import type { Database } from "bun:sqlite";
import { codeOf } from "./code.ts";
import type { Condition } from "./filter.ts";
import { toHalf } from "./half.ts";
import type { IndexDocument, IndexedDocument, IndexHit } from "./types.ts";

/** 128 bits of SHA-256. */
const HASH_BYTES = 16;
/** Kept while there may be passages that no document has. */
const UNFINISHED = "unfinished";

/** A chunk, ready to be written. */
export interface Piece {
  readonly hash: Uint8Array;
  readonly text: string;
  readonly tokens: number;
  readonly first: number;
  readonly last: number;
  readonly line: number;
  readonly lineEnd: number;
}

/** A text that has its vector now. */
export interface EmbeddedPiece {
  readonly piece: Piece;
  readonly vector: Float32Array;
}

/** A document whose chunks are known. */
export interface ReadyDocument {
  readonly document: IndexDocument;
  readonly hash: Uint8Array;
  readonly pieces: readonly Piece[];
}

export type Fate = "added" | "changed" | "unchanged";

export function hashOf(text: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(text).digest().subarray(0, HASH_BYTES);
}

export function hashOfDocument({ text, metadata }: IndexDocument): Uint8Array {
  return hashOf(`${JSON.stringify(metadata ?? null)}\n${text}`);
}

/** All that is written to an index, and what is read by key. Transactions are the caller's. */
export class Store {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** What adding a document would do to the index. */
  fateOf(name: string, hash: Uint8Array): Fate {
    const row = this.#database.query("SELECT hash FROM documents WHERE name = ?").get(name) as {
      hash: Uint8Array;
    } | null;
    if (row === null) return "added";
    return Buffer.compare(row.hash, hash) === 0 ? "unchanged" : "changed";
  }

  hasPassage(hash: Uint8Array): boolean {
    return this.#passage(hash) !== undefined;
  }

  /** Writes texts with their vectors; those that are there already are left alone. */
  addPassages(embedded: readonly EmbeddedPiece[]): void {
    const database = this.#database;
    const passage = database.query("INSERT OR IGNORE INTO passages (hash, text) VALUES (?, ?)");
    const vectors = database.query("INSERT INTO vectors (id, vector) VALUES (?, ?)");
    const codes = database.query("INSERT INTO codes (id, code) VALUES (?, ?)");
    for (const { piece, vector } of embedded) {
      const { changes, lastInsertRowid } = passage.run(piece.hash, piece.text);
      if (changes === 0) continue;
      vectors.run(lastInsertRowid, toHalf(vector));
      codes.run(lastInsertRowid, codeOf(vector));
    }
  }

  /** Notes that some of the texts are of a document that is not complete yet. */
  leaveOpen(): void {
    const insert = "INSERT OR IGNORE INTO settings (name) VALUES (?)";
    this.#database.query(insert).run(UNFINISHED);
  }

  /**
   * Puts a document in the place of the former one. Returns the chunks whose texts are not there,
   * since another process removed them: then nothing was done.
   */
  putDocument({ document, hash, pieces }: ReadyDocument): Piece[] {
    const passages = pieces.map((piece) => this.#passage(piece.hash));
    const missing = pieces.filter((_, i) => passages[i] === undefined);
    if (missing.length > 0) return missing;
    const former = this.#passagesOf(document.id);
    const { metadata } = document;
    const { id } = this.#database
      .query(
        `INSERT INTO documents (name, hash, metadata) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, metadata = excluded.metadata
         RETURNING id`,
      )
      .get(document.id, hash, metadata === undefined ? null : JSON.stringify(metadata)) as {
      id: number;
    };
    this.#database.query("DELETE FROM chunks WHERE document = ?").run(id);
    const chunks = this.#database.query("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (const [position, { first, last, line, lineEnd }] of pieces.entries()) {
      chunks.run(id, position, passages[position]!, first, last, line, lineEnd);
    }
    this.#removeUnused(former);
    return [];
  }

  removeDocument(name: string): boolean {
    const former = this.#passagesOf(name);
    const removed = this.#database
      .query("DELETE FROM documents WHERE name = ? RETURNING id")
      .get(name) as { id: number } | null;
    if (removed === null) return false;
    this.#database.query("DELETE FROM chunks WHERE document = ?").run(removed.id);
    this.#removeUnused(former);
    return true;
  }

  /** Removes the texts of documents that never were complete: of runs that were interrupted. */
  finish(): void {
    const query = this.#database.query("SELECT 1 FROM settings WHERE name = ?");
    if (query.get(UNFINISHED) === null) return;
    this.#database.run("DELETE FROM passages WHERE id NOT IN (SELECT passage FROM chunks)");
    this.#database.query("DELETE FROM settings WHERE name = ?").run(UNFINISHED);
  }

  counts(): { documents: number; chunks: number } {
    return this.#database
      .query(
        `SELECT (SELECT count(*) FROM documents) AS documents,
                (SELECT count(DISTINCT passage) FROM chunks) AS chunks`,
      )
      .get() as { documents: number; chunks: number };
  }

  documents(among: Condition | undefined): IndexedDocument[] {
    const { sql, values } = among ?? { sql: "SELECT id FROM documents", values: [] };
    return this.#database
      .query(
        `SELECT name AS id, (SELECT count(*) FROM chunks WHERE document = documents.id) AS chunks
         FROM documents WHERE id IN (${sql}) ORDER BY name`,
      )
      .all(...values) as IndexedDocument[];
  }

  /** Where a passage stands first; undefined where it stands nowhere, or in other documents. */
  locate(passage: number, among: Condition | undefined): Omit<IndexHit, "score"> | undefined {
    const where = among === undefined ? "TRUE" : `document IN (${among.sql})`;
    const row = this.#database
      .query(
        `SELECT name, metadata, text, first, last, line, line_end FROM chunks
         JOIN documents ON documents.id = document JOIN passages ON passages.id = passage
         WHERE passage = ? AND ${where} ORDER BY document, position LIMIT 1`,
      )
      .get(passage, ...(among?.values ?? [])) as LocatedRow | null;
    if (row === null) return undefined;
    const { name: id, text, first: start, last: end, line, line_end: lineEnd, metadata } = row;
    const hit = { id, text, start, end, line, lineEnd };
    return metadata === null ? hit : { ...hit, metadata: JSON.parse(metadata) };
  }

  #passage(hash: Uint8Array): number | undefined {
    const query = this.#database.query("SELECT id FROM passages WHERE hash = ?");
    return (query.get(hash) as { id: number } | null)?.id;
  }

  #passagesOf(name: string): number[] {
    return this.#database
      .query(
        `SELECT DISTINCT passage FROM chunks
         WHERE document = (SELECT id FROM documents WHERE name = ?)`,
      )
      .values(name)
      .flat() as number[];
  }

  #removeUnused(passages: readonly number[]): void {
    const remove = this.#database.query(
      "DELETE FROM passages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM chunks WHERE passage = ?1)",
    );
    for (const passage of passages) remove.run(passage);
  }
}

interface LocatedRow {
  readonly name: string;
  readonly metadata: string | null;
  readonly text: string;
  readonly first: number;
  readonly last: number;
  readonly line: number;
  readonly line_end: number;
}
