import { statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/paths.ts";
import type { IndexDocument } from "../../src/index.ts";
import { readEvalSet } from "../eval/data.ts";
import { randomNumbers } from "../random.ts";

const FOLDER = join(ROOT, "node_modules");
const FILES = "**/*.{md,ts,js,py}";
const BYTES_MAX = 200_000;
const QUERY_WORDS = 8;

/** Manuals and sources of the development packages, as they are installed, in a random order. */
export function corpusFiles(seed: number): string[] {
  const paths = [...new Bun.Glob(FILES).scanSync({ cwd: FOLDER, followSymlinks: false })].sort();
  const random = randomNumbers(seed);
  for (let i = paths.length - 1; i > 0; i--) {
    const j = random() % (i + 1);
    [paths[i], paths[j]] = [paths[j]!, paths[i]!];
  }
  return paths.filter((path) => statSync(join(FOLDER, path)).size <= BYTES_MAX);
}

export async function readDocument(id: string): Promise<IndexDocument> {
  return { id, text: await Bun.file(join(FOLDER, id)).text() };
}

/** What may be asked: some words in a row of files that are not in the index. */
export async function wordsOfFiles(paths: readonly string[], count: number): Promise<string[]> {
  const queries: string[] = [];
  for (const path of paths) {
    if (queries.length === count) break;
    const { text } = await readDocument(path);
    const words = text.match(/\w+/g) ?? [];
    const first = words.length >> 1;
    if (words.length >= 2 * QUERY_WORDS) {
      queries.push(words.slice(first, first + QUERY_WORDS).join(" "));
    }
  }
  return queries;
}

/** Questions about nature and history, which nothing in the corpus answers. */
export async function questionsOffTopic(): Promise<string[]> {
  const { queries } = await readEvalSet();
  return queries.flatMap(({ text }) => (text.en === undefined ? [] : [text.en]));
}
