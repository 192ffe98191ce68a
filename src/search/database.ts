import { Database, SQLiteError } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { GgufEmbedError } from "../errors.ts";
import { chooseSqlite, findExtension, loadExtension } from "../sqlite/extension.ts";
import { enterWal, isBusy } from "../sqlite/wal.ts";

/** Kept in the file's `user_version`: raised when the tables change. */
const FORMAT = 1;
/** Kept in the file's `application_id`, "gemb": tells an index from other databases. */
const APPLICATION = 0x67656d62;
const IN_MEMORY = ":memory:";
/** For vectors of 1.5 KB, of which five fit a page, and none of which is torn. */
const PAGE_BYTES = 8192;
/** Holds the codes of 100,000 vectors, which every search reads. */
const CACHE_KIB = 65_536;

/*
 * passages    the different texts of all chunks: what is embedded, once each
 * vectors     of each passage, float16
 * codes       of each passage, a few bits a component; apart, because every search reads them all
 * words       FTS5 over the passages' texts, which it reads there
 * documents   what was added
 * chunks      where a passage stands in a document
 */
const SCHEMA = `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE passages (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
  CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
  CREATE TABLE codes (id INTEGER PRIMARY KEY, code BLOB NOT NULL);
  CREATE TABLE documents (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash BLOB NOT NULL, metadata TEXT
  );
  CREATE TABLE chunks (
    document INTEGER NOT NULL, position INTEGER NOT NULL, passage INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL,
    line INTEGER NOT NULL, line_end INTEGER NOT NULL,
    PRIMARY KEY (document, position)
  ) WITHOUT ROWID;
  CREATE INDEX chunks_of_passage ON chunks (passage);
  CREATE VIRTUAL TABLE words USING fts5 (
    text, content = 'passages', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
  );
  CREATE VIRTUAL TABLE word_counts USING fts5vocab ('words', 'row');
  CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN
    INSERT INTO words (rowid, text) VALUES (new.id, new.text);
  END;
  CREATE TRIGGER passage_removed AFTER DELETE ON passages BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
    DELETE FROM vectors WHERE id = old.id;
    DELETE FROM codes WHERE id = old.id;
  END;
`;

export interface DatabaseOptions {
  readonly path: string;
  readonly create: boolean;
  readonly busyTimeoutMs: number;
}

/** Opens the file of an index, and makes it where that is wanted. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { path, create, busyTimeoutMs } = options;
  if (!create && path !== IN_MEMORY && !existsSync(path)) {
    throw new GgufEmbedError(
      "FILE_NOT_FOUND",
      `${path}: there is no index; make one with \`ggufembed index\`, or name another`,
    );
  }
  // Before the file: where there is none, none should be made.
  const extension = await findExtension();
  chooseSqlite();
  let database: Database | undefined;
  try {
    database = new Database(path, { create, readwrite: true, strict: true });
    database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    await loadExtension(database, extension);
    await prepare(database, busyTimeoutMs);
    return database;
  } catch (error) {
    database?.close();
    throw inPlace(error, path);
  }
}

async function prepare(database: Database, busyTimeoutMs: number): Promise<void> {
  database.run(`PRAGMA cache_size = -${CACHE_KIB}`);
  if (!isIndex(database)) await create(database, busyTimeoutMs);
  const { user_version: format } = database.query("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (format !== FORMAT) {
    const advice = "use that version, or index again into another file";
    throw badIndex(`it is an index of another version of this program (${format}); ${advice}`);
  }
  // A process that is killed loses nothing that was written; only a power cut may take the last.
  database.run("PRAGMA synchronous = NORMAL");
}

function isIndex(database: Database): boolean {
  // Of one state: between two reads another process may have made the index.
  const read = database.transaction(() => {
    const { application_id: id } = database.query("PRAGMA application_id").get() as {
      application_id: number;
    };
    const { n } = database.query("SELECT count(*) AS n FROM sqlite_schema").get() as { n: number };
    return { id, isEmpty: n === 0 };
  });
  const { id, isEmpty } = read();
  if (id === APPLICATION) return true;
  if (id === 0 && isEmpty) return false;
  throw badIndex("it is a database of something else; name another file");
}

async function create(database: Database, busyTimeoutMs: number): Promise<void> {
  database.run(`PRAGMA page_size = ${PAGE_BYTES}`);
  await enterWal(database, busyTimeoutMs);
  const make = database.transaction(() => {
    // Another process may have been first.
    if (isIndex(database)) return;
    database.run(SCHEMA);
    database.run(`PRAGMA user_version = ${FORMAT}`);
    database.run(`PRAGMA application_id = ${APPLICATION}`);
  });
  make.immediate();
}

function badIndex(what: string): GgufEmbedError {
  return new GgufEmbedError("BAD_INDEX", what);
}

/** Bytes of the file, and of what is not yet moved into it. */
export function bytesOf(path: string): number {
  const files = path === IN_MEMORY ? [] : [path, `${path}-wal`];
  return files.reduce(
    (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** What SQLite has to say, as an error of ours that names the file and what to do. */
export function inPlace(error: unknown, path: string): unknown {
  if (error instanceof GgufEmbedError) {
    if (error.code !== "BAD_INDEX") return error;
    return new GgufEmbedError("BAD_INDEX", `${path}: ${error.message}`, { cause: error.cause });
  }
  if (!(error instanceof SQLiteError)) return error;
  const cause = error;
  const { code = "", message } = error;
  if (isBusy(error)) {
    const advice = "try again when it is done, or raise busyTimeoutMs";
    return new GgufEmbedError("INDEX_BUSY", `${path}: another process writes to it; ${advice}`, {
      cause,
    });
  }
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
    const advice = "name another file, or remove this one and index again";
    return new GgufEmbedError("BAD_INDEX", `${path}: ${message}; ${advice}`, { cause });
  }
  if (/^SQLITE_(FULL|NOMEM|IOERR)/.test(code)) {
    const what = `${path}: ${message}`;
    const advice = "make room; what was written before is safe";
    return new GgufEmbedError("OUT_OF_RESOURCES", `${what}; ${advice}`, { cause });
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH)/.test(code)) {
    const advice = "check the folder and its permissions, which must allow writing";
    return new GgufEmbedError("FILE_NOT_FOUND", `${path}: ${message}; ${advice}`, { cause });
  }
  return error;
}
