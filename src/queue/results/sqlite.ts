import { Database } from "bun:sqlite";
import { chooseSqlite, findExtension, loadExtension } from "../../sqlite/extension.ts";
import { enterWal } from "../../sqlite/wal.ts";
import { checkKind, resultsError } from "./errors.ts";
import type { ResultKind, ResultStore } from "./types.ts";

/** Another worker's transaction takes some ten milliseconds. */
const BUSY_TIMEOUT_MS = 30_000;
const TABLE = "embeddings";
const ADVICE = "name a file that may be written, and that is an SQLite database or new";

/**
 * A table of sqlite-vec, `embeddings(id, embedding, tokens, truncated, fields)`, with cosine
 * distance. Workers of one machine may share the file.
 */
export async function openSqlite(path: string, kind: ResultKind): Promise<ResultStore> {
  chooseSqlite();
  // First: where it is missing, no file is made.
  const extension = await findExtension();
  let database: Database | undefined;
  try {
    database = new Database(path, { create: true, readwrite: true, strict: true });
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    await loadExtension(database, extension);
    await enterWal(database, BUSY_TIMEOUT_MS);
    // A commit outlives the machine's power.
    database.run("PRAGMA synchronous = FULL");
    prepare(database, path, kind);
    return storeOf(database, path);
  } catch (error) {
    database?.close();
    throw resultsError(path, error, ADVICE);
  }
}

function prepare(database: Database, path: string, kind: ResultKind): void {
  const make = database.transaction(() => {
    database.run("CREATE TABLE IF NOT EXISTS ggufembed (name TEXT PRIMARY KEY, value TEXT)");
    const insert = database.query("INSERT OR IGNORE INTO ggufembed VALUES ('kind', ?)");
    insert.run(JSON.stringify(kind));
    const query = database.query("SELECT value FROM ggufembed WHERE name = 'kind'");
    const { value } = query.get() as { value: string };
    checkKind(path, JSON.parse(value), kind);
    database.run(`CREATE VIRTUAL TABLE IF NOT EXISTS ${TABLE} USING vec0(
      id TEXT PRIMARY KEY, embedding float[${kind.dimensions}] distance_metric=cosine,
      +tokens INTEGER, +truncated INTEGER, +fields TEXT
    )`);
  });
  make.immediate();
}

function storeOf(database: Database, path: string): ResultStore {
  // A virtual table has no UPSERT.
  const remove = database.query(`DELETE FROM ${TABLE} WHERE id = ?`);
  const insert = database.query(
    `INSERT INTO ${TABLE} (id, embedding, tokens, truncated, fields) VALUES (?, ?, ?, ?, ?)`,
  );
  return {
    async write({ rows }) {
      const file = database.transaction(() => {
        for (const { id, embedding, tokens, truncated, fields } of rows) {
          remove.run(id);
          insert.run(id, embedding, tokens, truncated, fields);
        }
      });
      try {
        file.immediate();
      } catch (error) {
        throw resultsError(path, error, "see that there is room, and that no one blocks the file");
      }
    },
    async close() {
      database.close();
    },
  };
}
