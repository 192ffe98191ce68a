import { Failure } from "../errors.ts";
import type { InputText } from "./texts.ts";

/** What a line of JSONL asks to rerank. */
export interface Ranking {
  readonly query: string;
  readonly documents: readonly string[];
}

const EXPECTED = 'expected {"query": "…", "documents": ["…", …]}';

/** Reads one line; other fields are left alone. Throws `Failure` that names the line. */
export function parseRanking({ text, where }: Pick<InputText, "text" | "where">): Ranking {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Failure(`${where}: not valid JSON; ${EXPECTED}`, { cause });
  }
  if (typeof value !== "object" || value === null) throw new Failure(`${where}: ${EXPECTED}`);
  const { query, documents } = value as Partial<Record<keyof Ranking, unknown>>;
  if (typeof query !== "string") {
    throw new Failure(`${where}: "query" is not a string; ${EXPECTED}`);
  }
  if (!Array.isArray(documents) || !documents.every((text) => typeof text === "string")) {
    throw new Failure(`${where}: "documents" is not an array of strings; ${EXPECTED}`);
  }
  return { query, documents };
}
