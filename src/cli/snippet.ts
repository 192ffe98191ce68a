const LINES_MAX = 3;
const COLUMNS_MAX = 100;
const WORD = /[\p{L}\p{N}]+/gu;

interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

/**
 * Those neighbouring lines of a chunk that have most of a query's words, with their numbers; its
 * first where none has any.
 *
 * @param first number of the chunk's first line
 */
export function snippetOf(text: string, first: number, query: string): string {
  const lines = text
    .split("\n")
    .map((line, i): NumberedLine => ({ number: first + i, text: line.trimEnd() }))
    .filter((line) => line.text !== "");
  const words = new Set(wordsOf(query));
  let best = 0;
  let most = 0;
  for (let start = 0; start + Math.min(LINES_MAX, lines.length) <= lines.length; start++) {
    const window = lines.slice(start, start + LINES_MAX);
    const found = new Set(window.flatMap((line) => wordsOf(line.text)));
    const count = words.intersection(found).size;
    if (count > most) {
      most = count;
      best = start;
    }
  }
  const chosen = lines.slice(best, best + LINES_MAX);
  return chosen.map(({ number, text }) => `${String(number).padStart(6)}  ${cut(text)}\n`).join("");
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

function cut(line: string): string {
  const characters = [...line];
  if (characters.length <= COLUMNS_MAX) return line;
  return `${characters.slice(0, COLUMNS_MAX - 1).join("")}…`;
}
