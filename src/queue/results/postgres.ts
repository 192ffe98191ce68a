import { SQL } from "bun";
import { invalidArgument } from "../../errors.ts";
import { JsonBytes } from "../../vectors/json-bytes.ts";
import { withoutPassword } from "../redis.ts";
import { checkKind, resultsError } from "./errors.ts";
import type { ResultKind, ResultRow, ResultStore } from "./types.ts";

const TABLE_DEFAULT = "embeddings";
const CONNECT_TIMEOUT_S = 10;
const ADVICE = "check the address, and that the server has the extension vector (pgvector)";

/**
 * A table of PostgreSQL with pgvector: `(id text primary key, embedding vector, tokens, truncated,
 * fields jsonb)`. Its comment says which model's vectors it has.
 *
 * @param address - `postgres://user:password@host:port/database?table=NAME`
 */
export async function openPostgres(address: string, kind: ResultKind): Promise<ResultStore> {
  const { url, table } = parse(address);
  const where = `${withoutPassword(url)} table ${table}`;
  // One connection: a worker writes a batch at a time, and poolers count them.
  const sql = new SQL({ url, max: 1, connectionTimeout: CONNECT_TIMEOUT_S, prepare: false });
  try {
    await prepare(sql, table, where, kind);
  } catch (error) {
    await sql.close();
    throw resultsError(where, error, ADVICE);
  }
  return {
    async write({ rows }) {
      try {
        await sql.unsafe(upsertInto(table), [toJson(sorted(rows))]);
      } catch (error) {
        throw resultsError(where, error, "see what the server says of it");
      }
    },
    close: () => sql.close(),
  };
}

function parse(address: string): { readonly url: string; readonly table: string } {
  const url = URL.parse(address);
  if (url === null) throw invalidArgument(`${withoutPassword(address)} is no postgres:// address`);
  const table = url.searchParams.get("table") ?? TABLE_DEFAULT;
  url.searchParams.delete("table");
  if (/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/.test(table)) return { url: url.href, table };
  throw invalidArgument(`the table is ${JSON.stringify(table)}; give small letters, digits and _`);
}

async function prepare(sql: SQL, table: string, where: string, kind: ResultKind): Promise<void> {
  await sql.begin(async (transaction) => {
    // Workers that start at the same time would both make it.
    await transaction.unsafe("SELECT pg_advisory_xact_lock(hashtext($1))", [`ggufembed ${table}`]);
    await transaction.unsafe("CREATE EXTENSION IF NOT EXISTS vector");
    await transaction.unsafe(`CREATE TABLE IF NOT EXISTS ${table} (
      id text PRIMARY KEY, embedding vector(${kind.dimensions}) NOT NULL,
      tokens integer NOT NULL, truncated integer NOT NULL, fields jsonb NOT NULL
    )`);
    const told = `SELECT obj_description($1::regclass) AS comment,
      EXISTS (SELECT 1 FROM ${table}) AS filled`;
    const [{ comment, filled }] = await transaction.unsafe(told, [table]);
    if (comment?.startsWith("{")) return checkKind(where, JSON.parse(comment), kind);
    if (filled) throw new Error("it has rows that this program did not write");
    const quoted = JSON.stringify(kind).replaceAll("'", "''");
    await transaction.unsafe(`COMMENT ON TABLE ${table} IS '${quoted}'`);
  });
}

/** One statement is one transaction. */
function upsertInto(table: string): string {
  return `INSERT INTO ${table} (id, embedding, tokens, truncated, fields)
    SELECT id, embedding::vector, tokens, truncated, fields
    FROM json_to_recordset($1::text::json)
      AS row (id text, embedding text, tokens integer, truncated integer, fields jsonb)
    ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding, tokens = excluded.tokens,
      truncated = excluded.truncated, fields = excluded.fields`;
}

/** In one order: two workers with the same ids would wait for each other. */
const sorted = (rows: readonly ResultRow[]) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** An array of objects; vectors as text, as pgvector reads them. */
function toJson(rows: readonly ResultRow[]): string {
  const bytes = new JsonBytes();
  for (const { id, tokens, truncated, fields, embedding } of rows) {
    const numbers = `"tokens":${tokens},"truncated":${truncated}`;
    bytes.text(`,{"id":${JSON.stringify(id)},${numbers},"fields":${fields},"embedding":"`);
    bytes.floats(embedding).text('"}');
  }
  return `[${new TextDecoder().decode(bytes.view()).slice(1)}]`;
}
