/** The measured part of docs/performance.md, made of docs/performance.json. */
import { formatTable, measuredPart, replaceMeasured } from "../markdown.ts";
import { CASE_IDS } from "./cases.ts";
import { describeFigure, formatQuantity } from "./figures.ts";
import type { Participant } from "./players.ts";
import type { Comparison } from "./record.ts";
import type { CaseResult } from "./results.ts";

const PART = measuredPart("bun run bench:compare --write");

/** The document with its measured part made new. Throws if it has no place for one. */
export function insertMeasured(document: string, comparisons: readonly Comparison[]): string {
  return replaceMeasured(document, PART, formatMeasured(comparisons));
}

function formatMeasured(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return "Nothing is measured yet.\n";
  return comparisons.map(formatComparison).join("\n");
}

function formatComparison({ setting, participants, absent, results }: Comparison): string {
  const { machine } = setting;
  return [
    `## ${machine.cpu}, ${machine.cores} cores, variant \`${machine.variant}\`\n`,
    formatSetting(setting, results),
    formatTable(COLUMNS, results.flatMap(figureRows)),
    ...missing(results),
    "Who took part, and the errors of its vectors beside some float64 references:\n",
    formatTable(["who", "version and build", "rms error"], participants.map(participantRow)),
    ...(absent.length === 0 ? [] : ["Who did not:\n", absent.map(formatAbsent).join("")]),
    "The settings of each that were fastest, and so were used:\n",
    formatTable(["case", "who", "settings", "p50", "p99"], results.flatMap(settingRows)),
  ].join("\n");
}

function formatSetting(
  { machine, revision, threads, seed }: Comparison["setting"],
  results: readonly CaseResult[],
): string {
  const loads = results.map(({ load }) => load);
  const [low, high] = [Math.min(...loads), Math.max(...loads)].map((load) => load.toFixed(1));
  const lines = [
    `commit \`${revision.commit.slice(0, 12)}\`${revision.dirty ? ", with changes" : ""}`,
    `${threads} threads, seed ${seed}`,
    `${machine.system}, Bun ${machine.bun}, ${machine.memoryGigabytes} GB of memory`,
    `caches of a core: ${machine.caches.join(", ")}`,
    `processes that wanted to run when a case began: ${low} to ${high}`,
  ];
  return lines.map((line) => `- ${line}\n`).join("");
}

const COLUMNS = ["what", "bar", "figure", "met", "rounds", "ours", "beside"];

/** A row for the case, and one for each of its figures. */
function figureRows({ id, title, figures }: CaseResult): string[][] {
  const rows = figures.map((each) => {
    const { bar, figure, met, range, ours, beside } = describeFigure(each);
    return [each.what, bar, figure, met, range, ours, beside];
  });
  return [COLUMNS.map((_, i) => (i === 0 ? `**${title}** (\`${id}\`)` : "")), ...rows];
}

/** Cases that nobody measured here, or that failed. */
function missing(results: readonly CaseResult[]): string[] {
  const ids = CASE_IDS.filter((id) => !results.some((result) => result.id === id));
  return ids.length === 0 ? [] : [`Not measured: ${ids.map((id) => `\`${id}\``).join(", ")}.\n`];
}

function participantRow({ name, build, system, accuracy }: Participant): string[] {
  const errors = Object.entries(accuracy).map(
    ([model, { rms }]) => `${model} ${formatQuantity({ value: rms, unit: "error" })}`,
  );
  return [name, [build, system].filter((text) => text !== "").join("; "), errors.join(", ")];
}

function formatAbsent({ name, reason }: Comparison["absent"][number]): string {
  return `- ${name}: ${reason.split("\n")[0]}\n`;
}

function settingRows({ id, kind, entries }: CaseResult): string[][] {
  const unit = kind === "memory" ? "bytes" : "seconds";
  return entries
    .filter(({ settings }) => settings !== "")
    .map(({ name, settings, spread, p99 }) => [
      `\`${id}\``,
      name,
      settings,
      ...[spread.median, p99].map((value) => formatQuantity({ value, unit })),
    ]);
}
