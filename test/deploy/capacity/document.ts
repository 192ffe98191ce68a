/** The measured part of docs/capacity.md: tables of figures, and of what follows from them. */
import { join } from "node:path";
import { median } from "../../../bench/compare/statistics.ts";
import { formatTable, measuredPart, replaceMeasured } from "../../../bench/markdown.ts";
import { USUAL } from "../../../bench/models.ts";
import { ROOT } from "../../docs/markdown.ts";
import { BULK_TOKENS, type Figures } from "./figures.ts";
import { BYTES_OF, bulkWork, CORES, megabits, serving } from "./model.ts";

const DOCUMENT = join(ROOT, "docs", "capacity.md");
const MILLION = 1e6;
const BILLION = 1e9;
/** EmbeddingGemma's vector, and a short one of its. */
const DIMENSIONS = [768, 256];

export async function writeDocument(figures: Figures): Promise<void> {
  await Bun.write(DOCUMENT, insertFigures(await Bun.file(DOCUMENT).text(), figures));
}

/** The document with its tables made new. Throws if it has no place for them. */
export function insertFigures(document: string, figures: Figures): string {
  const { cpu, cores, variant } = figures.machine;
  const tables = [
    `Measured on ${cores} shared cores of an ${cpu}, variant \`${variant}\`.`,
    ...measured(figures),
    ...derived(figures),
  ];
  const part = measuredPart("bun test/deploy/capacity/main.ts --write");
  return replaceMeasured(document, part, tables.join("\n\n"));
}

/** Tokens a second of one core, at large requests and at single short texts. */
export function tokensPerSecondOfCore({ layouts }: Figures): { bulk: number; single: number } {
  const [layout] = layouts;
  return {
    bulk: median(layout!.bulkTokensPerSecond) / CORES,
    single: (median(layout!.requestsPerSecond) * USUAL) / CORES,
  };
}

function measured(figures: Figures): string[] {
  const { layouts, latencies, costs, compressions, sizes, queued } = figures;
  const highest = median(layouts[0]!.requestsPerSecond);
  return [
    "### The same cores, one instance or two",
    formatTable(
      [
        "instances × threads",
        "tokens/s, large requests",
        "requests/s, 28 tokens",
        "memory of each",
      ],
      layouts.map((layout) => [
        `${layout.instances} × ${layout.threads}`,
        spread(layout.bulkTokensPerSecond),
        spread(layout.requestsPerSecond),
        `${layout.residentMegabytes.toFixed(0)} MB`,
      ]),
    ).trimEnd(),
    "### Latency at a share of the highest rate",
    formatTable(
      ["load", "by", "requests", "failed", "p50 in ms", "p99 in ms"],
      latencies.map(({ requestsPerSecond, by, requests, failed, p50Ms, p99Ms }) => [
        `${percent(requestsPerSecond / highest)}, ${requestsPerSecond.toFixed(0)}/s`,
        by,
        count(requests),
        String(failed),
        spread(p50Ms, 1),
        spread(p99Ms, 1),
      ]),
    ).trimEnd(),
    "### What nginx adds",
    formatTable(
      ["request", "direct, p50", "by nginx, p50", "more"],
      costs.map(({ what, directP50Ms, nginxP50Ms }) => [
        what,
        `${directP50Ms.toFixed(2)} ms`,
        `${nginxP50Ms.toFixed(2)} ms`,
        `${(nginxP50Ms - directP50Ms).toFixed(2)} ms`,
      ]),
    ).trimEnd(),
    "### What gzip would take off",
    formatTable(
      ["answer as", "bytes a vector", "level", "left", "ms a vector"],
      compressions.map(({ encoding, level, share, msPerText }) => [
        encoding,
        count(encoding === "base64" ? sizes.base64Bytes : sizes.floatBytes),
        String(level),
        percent(share),
        msPerText.toFixed(3),
      ]),
    ).trimEnd(),
    `${count(queued.texts)} texts that wait take ${queued.megabytes.toFixed(1)} MB of Redis.`,
  ];
}

function derived(figures: Figures): string[] {
  const speed = tokensPerSecondOfCore(figures);
  const { sizes, queued } = figures;
  const queuedBytes = (queued.megabytes * 1e6) / queued.texts;
  const loads = [
    [`single texts of ${USUAL} tokens`, USUAL, speed.single],
    [`large requests, texts of ${BULK_TOKENS} tokens`, BULK_TOKENS, speed.bulk],
  ] as const;
  return [
    "### A million texts an hour",
    formatTable(
      ["texts", "tokens/s needed", "tokens/s of a core", "cores", "instances of two, one spare"],
      loads.map(([what, tokens, ofCore]) => {
        const need = serving(MILLION, tokens, ofCore);
        const { tokensPerSecond, cores, instances } = need;
        return [what, count(tokensPerSecond), count(ofCore), cores.toFixed(1), String(instances)];
      }),
    ).trimEnd(),
    formatTable(
      ["network of a million texts an hour", "Mbit/s"],
      [
        ["requests", megabits(MILLION, sizes.requestBytes).toFixed(1)],
        ["answers, base64", megabits(MILLION, sizes.base64Bytes).toFixed(1)],
        ["answers, floats", megabits(MILLION, sizes.floatBytes).toFixed(1)],
      ],
    ).trimEnd(),
    "### A billion texts",
    formatTable(
      ["within", "core-hours", "workers of two cores, one in twenty spare"],
      [1, 7, 30].map((days) => {
        const { coreHours, workers } = bulkWork(BILLION, BULK_TOKENS, speed.bulk, days);
        return [days === 1 ? "a day" : `${days} days`, count(coreHours), count(workers)];
      }),
    ).trimEnd(),
    formatTable(
      ["kept", ...DIMENSIONS.map((dimensions) => `${dimensions} dimensions`)],
      [
        ...Object.entries(BYTES_OF).map(([encoding, bytesOf]) => [
          `vectors as ${encoding}`,
          ...DIMENSIONS.map((dimensions) => gigabytes(bytesOf(dimensions) * BILLION)),
        ]),
        ["in Redis, all at once", ...DIMENSIONS.map(() => gigabytes(queuedBytes * BILLION))],
        [
          "in Redis, as many as wait by default",
          ...DIMENSIONS.map(() => gigabytes(queued.megabytes * 1e6)),
        ],
      ],
    ).trimEnd(),
  ];
}

const count = (value: number) => Math.round(value).toLocaleString("en-US");
const percent = (share: number) => `${Math.round(share * 100)} %`;
const gigabytes = (bytes: number) =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${count(bytes / 1e9)} GB`;

/** `5,574 (5,456–5,585)`: the median of rounds, lowest to highest. */
function spread(rounds: readonly number[], digits = 0): string {
  const [middle, low, high] = [median(rounds), Math.min(...rounds), Math.max(...rounds)].map(
    (value) => Number(value.toFixed(digits)).toLocaleString("en-US"),
  );
  return `${middle} (${low}–${high})`;
}
