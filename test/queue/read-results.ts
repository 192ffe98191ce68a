import { Database } from "bun:sqlite";
import { SQL } from "bun";
import { parquetReadObjects } from "hyparquet";
import { collectResults } from "../../src/queue/index.ts";
import { chooseSqlite, findExtension, loadExtension } from "../../src/sqlite/extension.ts";

export interface ReadRow {
  readonly id: string;
  readonly tokens: number;
  readonly truncated: number;
  readonly fields: unknown;
  readonly embedding: Float32Array;
}

/** Every row of a place for results, as others would read it; an id as often as it is there. */
export function readResults(place: string): Promise<ReadRow[]> {
  const at = place.indexOf(":");
  const rest = place.slice(at + 1);
  switch (place.slice(0, at)) {
    case "jsonl":
      return readJsonl(rest);
    case "parquet":
      return readParquet(rest);
    case "sqlite":
      return readSqlite(rest);
    default:
      return readPostgres(place);
  }
}

async function readJsonl(folder: string): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  for await (const lines of collectResults(folder)) {
    for (const line of lines.trimEnd().split("\n")) rows.push(fromJson(line));
  }
  return rows;
}

/** The files as they are, without what `collect` does about ids that come twice. */
export async function readJsonlFiles(folder: string): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  for (const path of new Bun.Glob("*/*/*.jsonl").scanSync({ cwd: folder, absolute: true })) {
    const lines = (await Bun.file(path).text()).trimEnd().split("\n");
    for (const line of lines) rows.push(fromJson(line));
  }
  return rows;
}

function fromJson(line: string): ReadRow {
  const { id, tokens, truncated = 0, embedding, ...fields } = JSON.parse(line);
  return { id, tokens, truncated, fields, embedding: Float32Array.from(embedding) };
}

async function readParquet(folder: string): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  for (const path of new Bun.Glob("*/*/*.parquet").scanSync({ cwd: folder, absolute: true })) {
    const file = await Bun.file(path).arrayBuffer();
    for (const row of await parquetReadObjects({ file })) {
      const { id, tokens, truncated, fields, embedding } = row;
      const vector = Float32Array.from(embedding);
      rows.push({ id, tokens, truncated, fields: JSON.parse(fields), embedding: vector });
    }
  }
  return rows;
}

async function readSqlite(path: string): Promise<ReadRow[]> {
  chooseSqlite();
  using database = new Database(path, { readonly: true });
  await loadExtension(database, await findExtension());
  const query = database.query<
    { id: string; tokens: number; truncated: number; fields: string; embedding: Uint8Array },
    []
  >("SELECT id, tokens, truncated, fields, embedding FROM embeddings");
  return query.all().map(({ embedding, fields, ...row }) => ({
    ...row,
    fields: JSON.parse(fields),
    embedding: new Float32Array(embedding.slice().buffer),
  }));
}

async function readPostgres(address: string): Promise<ReadRow[]> {
  const url = new URL(address);
  const table = url.searchParams.get("table") ?? "embeddings";
  url.searchParams.delete("table");
  await using sql = new SQL({ url: url.href, max: 1, prepare: false });
  const rows = await sql.unsafe(
    `SELECT id, tokens, truncated, fields::text AS fields, embedding::text AS embedding FROM ${table}`,
  );
  return rows.map((row: Record<string, string>) => ({
    id: row.id,
    tokens: Number(row.tokens),
    truncated: Number(row.truncated),
    fields: JSON.parse(row.fields!),
    embedding: Float32Array.from(JSON.parse(row.embedding!)),
  }));
}
