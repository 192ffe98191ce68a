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
 * Passages with words of a query by BM25, best first. Nothing of the query is read as FTS5's
 * syntax: each word is quoted, and one of them is enough.
 */
export function findByText(
  database: Database,
  query: string,
  count: number,
  documents: Condition | undefined,
): Scored[] {
  const words = telling(database, wordsOf(query));
  if (words.length === 0) return [];
  // The sign keeps SQLite from asking for each of those passages whether it has the words.
  const { sql, values } = passagesOf(documents, "+rowid");
  const rows = database
    .query(
      `SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? AND ${sql}
       ORDER BY rank LIMIT ?`,
    )
    .values(words.map((word) => `"${word}"`).join(" OR "), ...values, count);
  return (rows as [number, number][]).map(([passage, score]) => ({ passage, score }));
}

/** Passages that may be ranked for a query, of so many or of this share of all, if that is more. */
const RANKED_MAX = 5000;
const RANKED_SHARE = 0.05;

/**
 * The words that tell most, beginning with the rarest: those in so many passages that ranking them
 * all would take long say next to nothing of any.
 */
function telling(database: Database, words: readonly string[]): string[] {
  const { last } = database.query("SELECT max(id) AS last FROM passages").get() as {
    last: number | null;
  };
  const ranked = Math.max(RANKED_MAX, (last ?? 0) * RANKED_SHARE);
  const chosen: string[] = [];
  let sum = 0;
  const counted = words.map((word) => ({ word, count: passagesWith(database, word) }));
  for (const { word, count } of counted.sort((a, b) => a.count - b.count)) {
    // The rarest that is there counts, however many passages have it.
    if (sum > 0 && sum + count > ranked) break;
    chosen.push(word);
    sum += count;
  }
  return chosen;
}

/** Of how many passages FTS5 has the word, as it keeps words: without diacritics. */
function passagesWith(database: Database, word: string): number {
  const kept = word.normalize("NFD").replace(/\p{M}/gu, "");
  const query = database.query("SELECT doc FROM word_counts WHERE term IN (?, ?)");
  return (query.values(word, kept) as [number][]).reduce((sum, [count]) => sum + count, 0);
}
