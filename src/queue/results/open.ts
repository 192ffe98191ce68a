import { invalidArgument } from "../../errors.ts";
import { openJsonl } from "./jsonl.ts";
import { openParquet } from "./parquet.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import type { ResultKind, ResultStore } from "./types.ts";

type Open = (place: string, kind: ResultKind) => Promise<ResultStore>;

/** By what stands before the colon. A new one is a file and a line here. */
const STORES: Readonly<Record<string, Open>> = {
  jsonl: openJsonl,
  parquet: openParquet,
  sqlite: openSqlite,
  postgres: (rest, kind) => openPostgres(`postgres:${rest}`, kind),
  postgresql: (rest, kind) => openPostgres(`postgresql:${rest}`, kind),
};

/**
 * Opens a place for results, and makes it where it is not there. Rejects with `INVALID_ARGUMENT`,
 * `RESULTS`, `WRONG_MODEL`, `MISSING_PACKAGE`.
 */
export function openResults(place: string, kind: ResultKind): Promise<ResultStore> {
  const { open, rest } = parseResults(place);
  return open(rest, kind);
}

/** Throws `INVALID_ARGUMENT` for what names no place. */
export function parseResults(place: string): { readonly open: Open; readonly rest: string } {
  const [, name = "", rest = ""] = /^([a-z]+):(.+)$/s.exec(place) ?? [];
  const open = Object.hasOwn(STORES, name) ? STORES[name] : undefined;
  if (open !== undefined) return { open, rest };
  throw invalidArgument(
    `results are to go to ${JSON.stringify(place)}; give jsonl:FOLDER, parquet:FOLDER, ` +
      "sqlite:FILE or postgres://…",
  );
}
