/**
 * `bun run eval [MODEL…]`: how well vectors find passages and tell sentences apart, for each weight
 * format, encoding and number of dimensions. `--help` tells the options, docs/quality.md what the
 * figures mean.
 */
import { join } from "node:path";
import { ensureBuilt } from "../scripts/build.ts";
import { ensureMiniLM } from "../scripts/models.ts";
import { ROOT } from "../scripts/paths.ts";
import { logToStderr } from "../scripts/process.ts";
import { wantsHelp } from "../src/cli/options.ts";
import type { QuantizeType } from "../src/index.ts";
import { readEvalSet } from "./eval/data.ts";
import { formatReport } from "./eval/document.ts";
import { readEvalOptions, USAGE } from "./eval/options.ts";
import { drawReport } from "./eval/plot.ts";
import { makeReport, type Report } from "./eval/report.ts";
import { measuredPart, replaceMeasured } from "./markdown.ts";
import { withUsage } from "./usage.ts";

/** Its rows of 384 are no whole blocks of 256: K formats fall back for most of its matrices. */
const TYPES: readonly QuantizeType[] = [
  ...(["F32", "F16", "BF16", "Q8_0"] as const),
  ...(["Q6_K", "Q5_K", "Q5_1", "Q5_0"] as const),
  ...(["Q4_K", "Q4_1", "Q4_0", "IQ4_NL", "IQ4_XS"] as const),
  ...(["Q3_K", "Q2_K"] as const),
];
const PART = measuredPart("bun run eval --write");

/** The document with its measured part made new. */
export function insertReport(document: string, report: Report): string {
  return replaceMeasured(document, PART, formatReport(report));
}

/** A setting a line: an indented number a line would be most of the file. */
function formatJson({ models, ...conditions }: Report): string {
  const lines = models.map(({ settings, ...model }) => {
    const rows = settings.map((setting) => JSON.stringify(setting)).join(",\n");
    return `${JSON.stringify(model).slice(0, -1)},"settings":[\n${rows}\n]}`;
  });
  const head = JSON.stringify(conditions).slice(0, -1);
  return `${head},"models":[\n${lines.join(",\n")}\n]}\n`;
}

async function publish(report: Report): Promise<void> {
  const document = join(ROOT, "docs/quality.md");
  await Bun.write(document, insertReport(await Bun.file(document).text(), report));
  await Bun.write(join(ROOT, "docs/quality.svg"), drawReport(report));
  await Bun.write(join(ROOT, "docs/quality.json"), formatJson(report));
}

if (import.meta.main) {
  await withUsage(USAGE, async () => {
    const args = process.argv.slice(2);
    if (wantsHelp(args)) return console.log(USAGE);
    const { models, json, plot, write, ...options } = readEvalOptions(args);
    await ensureBuilt();
    const sources = [...models];
    for (const type of models.length > 0 ? [] : TYPES) sources.push(await ensureMiniLM(type));
    const set = await readEvalSet();
    const report = await makeReport(sources, { ...options, set }, logToStderr);
    if (plot !== undefined) await Bun.write(plot, drawReport(report));
    if (write) await publish(report);
    process.stdout.write(json ? formatJson(report) : formatReport(report));
  });
}
