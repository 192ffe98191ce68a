/** docs/models.md, made of docs/models.json. */
import type { Accuracy } from "../compare/check.ts";
import type { Machine } from "../compare/machine.ts";
import type { Failed, Found, Speed } from "./measure.ts";
import { type Group, ROWS, type Row } from "./rows.ts";

export interface Catalogue {
  readonly machine: Machine;
  readonly rows: readonly Found[];
}

const INTRODUCTION = `# Models

What \`bun run bench:models\` measured: errors beside float64 references, and the speed of a batch,
both next to llama.cpp's on the same file. [numbers.md](numbers.md) tells how errors are counted,
and [performance.md](performance.md) how llama.cpp is built and which of its settings is taken: the
fastest. The batch is 64 texts of 28 tokens, on two threads; a ratio is llama.cpp's time over ours,
the median of seven rounds in turn, with the lowest and the highest.
`;

const GROUPS: Readonly<Record<Group, string>> = {
  formats: `## Formats

Errors are of \`mini-*\`: six small layers of the \`gemma-embedding\` architecture with made-up
weights, quantised by llama.cpp's tool. The reference computes on the weights as the file has them,
so the error is the arithmetic's alone. The batch runs on the synthetic EmbeddingGemma, quantised by
the same tool: rows whose length is no multiple of 256 have what it takes instead of a K format.
`,
  architectures: `## Architectures

Errors are of tiny models with made-up float weights, so the error is the arithmetic's alone; of
MiniLM's \`Q8_0\` file the rounding of its weights counts, too. The batch runs on \`Q8_0\` files of
the shapes of the models named, with made-up weights; MiniLM alone is real.
`,
};

const HEAD = {
  formats: "| format | rms | llama.cpp | largest | llama.cpp | speed | tokens/s | llama.cpp |",
  architectures:
    "| architecture | rms | llama.cpp | largest | llama.cpp " +
    "| batch of | speed | tokens/s | llama.cpp |",
};

/** The whole document. */
export function formatCatalogue({ machine, rows }: Catalogue): string {
  const { cpu, cores, variant } = machine;
  const where = `Measured on: ${cpu}, ${cores} cores, variant \`${variant}\`.\n`;
  const groups = (["formats", "architectures"] as const).map((group) => {
    const lines = ROWS.filter((row) => row.group === group).map((row) =>
      formatRow(
        row,
        rows.find(({ id }) => id === row.id),
      ),
    );
    const rule = HEAD[group].replace(/[^|]+/g, " --- ");
    return [GROUPS[group], HEAD[group], rule, ...lines, ...notes(group, rows)].join("\n");
  });
  return `${[INTRODUCTION, where, ...groups].join("\n").trimEnd()}\n`;
}

function formatRow(row: Row, found: Found | undefined): string {
  const { accuracy, speed } = found ?? {};
  const errors = (["rms", "max"] as const).flatMap((kind) => [
    formatError(accuracy?.ours, kind),
    formatError(accuracy?.llama, kind),
  ]);
  const of = row.group === "architectures" ? [row.speedTitle ?? "–"] : [];
  return `| ${[row.title, ...errors, ...of, ...formatSpeed(speed)].join(" | ")} |`;
}

function formatError(accuracy: Accuracy | Failed | undefined, kind: "rms" | "max"): string {
  if (accuracy === undefined) return "–";
  return "failed" in accuracy ? "failed" : accuracy[kind].toExponential(2);
}

function formatSpeed(speed: Speed | Failed | undefined): string[] {
  if (speed === undefined) return ["–", "–", "–"];
  if ("failed" in speed) return ["failed", "–", "–"];
  const { median, low, high, ours, llama } = speed;
  const ratio = `${median.toFixed(2)}× (${low.toFixed(2)}–${high.toFixed(2)})`;
  return [ratio, ours.toFixed(0), llama.toFixed(0)];
}

/** Why something failed. */
function notes(group: Group, rows: readonly Found[]): string[] {
  const lines = rows
    .filter(({ id }) => ROWS.some((row) => row.id === id && row.group === group))
    .flatMap(({ id, accuracy, speed }) =>
      [accuracy?.ours, accuracy?.llama, speed].flatMap((part) =>
        part !== undefined && "failed" in part ? [`- ${id}: ${part.failed.split("\n")[0]}`] : [],
      ),
    );
  return lines.length === 0 ? [""] : ["", ...lines, ""];
}
