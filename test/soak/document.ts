/** The measured part of docs/soak.md. */
import { formatFigure, isMet, type Soak } from "./figure.ts";

const BEGIN = "<!-- measured: `bun run soak --write` writes what follows -->";
const END = "<!-- end of what is measured -->";

/** The document with its measured part made new. Throws if it has no place for one. */
export function insertSoaks(document: string, machine: string, soaks: readonly Soak[]): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the lines ${BEGIN} and ${END} are missing`);
  const measured = [`On ${machine}.`, ...soaks.map(formatSoak)].join("\n\n");
  return `${document.slice(0, begin)}${BEGIN}\n\n${measured}\n\n${document.slice(end)}`;
}

function formatSoak({ title, figures }: Soak): string {
  const rows = figures.map((figure) => {
    const { max } = figure;
    const bar = max === undefined ? "" : `≤ ${formatFigure({ ...figure, value: max })}`;
    const met = max === undefined ? "" : isMet(figure) ? "yes" : "**no**";
    return `| ${figure.what} | ${formatFigure(figure)} | ${bar} | ${met} |`;
  });
  return [
    `## ${title[0]!.toUpperCase()}${title.slice(1)}`,
    "",
    "| what | figure | bar | met |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
