import { Database } from "bun:sqlite";
import { readFile, stat } from "node:fs/promises";
import { resultFiles } from "./folder.ts";
import { JSONL } from "./jsonl.ts";

/**
 * The lines of a folder that workers wrote as `jsonl:FOLDER`, each id once, in the order of the
 * input; texts that were set aside come after their batch. Where an input was changed and put in
 * again, an id may be in two files: the newer counts. Memory does not grow with the folder.
 *
 * Rejects with `RESULTS` for a folder that is none of theirs.
 *
 * @returns text of whole lines, a file's at a time
 */
export async function* collectResults(folder: string): AsyncGenerator<string> {
  // On disk, without a name: gone with the connection, however that ends.
  using database = new Database("");
  database.run("PRAGMA journal_mode = OFF");
  database.run("CREATE TABLE files (number INTEGER PRIMARY KEY, path TEXT, time REAL)");
  database.run(
    "CREATE TABLE ids (id TEXT PRIMARY KEY, file INTEGER NOT NULL, time REAL) WITHOUT ROWID",
  );
  await findNewest(database, folder);
  const winner = database.query<{ file: number }, string>("SELECT file FROM ids WHERE id = ?");
  const next = database.query<{ path: string }, number>("SELECT path FROM files WHERE number = ?");
  for (let number = 1; ; number++) {
    const file = next.get(number);
    if (file === null) return;
    const lines = await linesOf(file.path);
    const kept = lines.filter((line) => winner.get(idOf(line))?.file === number);
    if (kept.length > 0) yield `${kept.join("\n")}\n`;
  }
}

async function findNewest(database: Database, folder: string): Promise<void> {
  const addFile = database.query("INSERT INTO files VALUES (?, ?, ?)");
  const addId = database.query(
    `INSERT INTO ids VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE
     SET file = excluded.file, time = excluded.time WHERE excluded.time >= time`,
  );
  let number = 0;
  for await (const path of resultFiles(folder, JSONL)) {
    number++;
    const { mtimeMs } = await stat(path);
    const lines = await linesOf(path);
    database.transaction(() => {
      addFile.run(number, path, mtimeMs);
      for (const line of lines) addId.run(idOf(line), number, mtimeMs);
    })();
  }
}

async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
}

/** `{"id":…,"tokens":` begins each line; quotes in a JSON string are escaped: the end is found. */
function idOf(line: string): string {
  return JSON.parse(line.slice('{"id":'.length, line.indexOf(',"tokens":')));
}
