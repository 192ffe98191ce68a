import type { Database } from "bun:sqlite";
import { type Condition, passagesOf } from "./filter.ts";
import type { Scored } from "./vector-search.ts";

/** What FTS5's `unicode61` takes for parts of words: letters, digits, and marks upon them. */
const WORD = /[\p{L}\p{N}\p{M}\p{Co}]+/gu;
/** Words of a query that count; more say nothing more, and each costs a look-up. */
const WORDS_MAX = 32;

/** The words of a query, each once, as FTS5 is asked for them. */
export function wordsOf(query: string): string[] {
  const words = query.toLowerCase().match(WORD) ?? [];
  return [...new Set(words)].slice(0, WORDS_MAX);
}

/**
 * Passages with words of a query by BM25, best first. Nothing of the query is read as FTS5's syntax:
 * each word is quoted, and one of them is enough.
 */
export function findByText(
  database: Database,
  query: string,
  count: number,
  documents: Condition | undefined,
): Scored[] {
  const words = telling(database, wordsOf(query));
  if (words.length === 0) return [];
  const { sql, values } = passagesOf(documents, "rowid");
  const rows = database
    .query(
      `SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? AND ${sql}
       ORDER BY rank LIMIT ?`,
    )
    .values(words.map((word) => `"${word}"`).join(" OR "), ...values, count);
  return (rows as [number, number][]).map(([passage, score]) => ({ passage, score }));
}

/** So far, all of them. */
function telling(_database: Database, words: string[]): string[] {
  return words;
}
