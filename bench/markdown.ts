/** A table in Markdown, its columns aligned. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "/")));
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const [first, ...rest] = all;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return `${[line(first!), rule, ...rest.map(line)].join("\n")}\n`;
}

/** The part of a document that a command writes, between two lines of it. */
export interface MeasuredPart {
  readonly begin: string;
  readonly end: string;
}

export function measuredPart(command: string): MeasuredPart {
  return {
    begin: `<!-- measured: \`${command}\` writes what follows -->`,
    end: "<!-- end of what is measured -->",
  };
}

/** The document with that part made new. Throws if it has no place for one. */
export function replaceMeasured(document: string, part: MeasuredPart, measured: string): string {
  const begin = document.indexOf(part.begin);
  const end = document.indexOf(part.end);
  if (begin < 0 || end < begin)
    throw new Error(`the lines ${part.begin} and ${part.end} are missing`);
  return `${document.slice(0, begin)}${part.begin}\n\n${measured}\n${document.slice(end)}`;
}
