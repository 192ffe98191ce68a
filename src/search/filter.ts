import type { SQLQueryBindings } from "bun:sqlite";
import { invalidArgument } from "../errors.ts";
import type { IndexFilter, MetadataValue } from "./types.ts";

/** A condition in SQL, and what its question marks stand for. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLQueryBindings[];
}

/** Rows of `documents` that a filter lets through; undefined for all. Throws `INVALID_ARGUMENT`. */
export function documentsOf(filter: IndexFilter | undefined): Condition | undefined {
  const { id, metadata = {} } = filter ?? {};
  const conditions: Condition[] = Object.entries(metadata).map(metadataCondition);
  if (id !== undefined) {
    if (typeof id !== "string") throw invalidArgument("filter.id is not a string");
    conditions.push({ sql: "name GLOB ?", values: [id] });
  }
  if (conditions.length === 0) return undefined;
  return {
    sql: `SELECT id FROM documents WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}`,
    values: conditions.flatMap(({ values }) => values),
  };
}

/** Which of the passages stand in documents that a filter lets through. */
export function passagesOf(documents: Condition | undefined, column: string): Condition {
  if (documents === undefined) return { sql: "TRUE", values: [] };
  const passages = `SELECT passage FROM chunks WHERE document IN (${documents.sql})`;
  return { sql: `${column} IN (${passages})`, values: documents.values };
}

function metadataCondition([name, value]: [string, MetadataValue]): Condition {
  const has = (test: string, values: readonly SQLQueryBindings[]): Condition => ({
    sql: `EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND ${test})`,
    values: [name, ...values],
  });
  // JSON's true is 1 for SQLite: types tell the two apart.
  if (typeof value === "boolean" || value === null) return has("type = ?", [String(value)]);
  if (typeof value === "number") return has("type IN ('integer', 'real') AND value = ?", [value]);
  if (typeof value === "string") return has("type = 'text' AND value = ?", [value]);
  const what = `filter.metadata.${name}`;
  throw invalidArgument(`${what} is no string, number, boolean or null`);
}
