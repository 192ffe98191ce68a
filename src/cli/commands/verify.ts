import { styleText } from "node:util";
import { type LayerFingerprint, type VerifyReport, verifyModel } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { Failure } from "../errors.ts";
import { onlyModel, openModel, PRECISION_OPTION, warnAbout } from "../model.ts";
import { printOut } from "../output/stdout.ts";

export const verify = defineCommand({
  name: "verify",
  summary: "check a model against its published figures, and fingerprint its layers",
  usage: "MODEL [--precision high] [--json]",
  options: { ...PRECISION_OPTION, json: { type: "flag", help: "print one JSON object" } },
  details: `
A figure is the cosine similarity of two texts, as the model's authors publish it. Exit code 1 when
one is off; 0 when all are right, and when none are known for this model, which is said.

A layer's fingerprint is what it makes of one text: the root mean square of its hidden states, and
a digest of their bits. The same file and version give the same digests on every machine; where two
differ, the first layer that does tells where to look.`,
  async run({ values, positionals }) {
    const { precision } = values;
    await using embedder = await openModel(onlyModel(positionals), { precision });
    warnAbout(embedder.config.warnings);
    const report = await verifyModel(embedder);
    const json = () => `${JSON.stringify(report, null, 2)}\n`;
    await printOut(values.json ? json() : describeReport(report, embedder.config.name));
    if (report.status === "fail") throw new Failure(describeFailure(report));
  },
});

/** What a person reads of a report. */
export function describeReport(report: VerifyReport, name: string): string {
  const { status, model, source, figures, layersText, layers } = report;
  const figuresPart =
    status === "unknown"
      ? `${name}: no published figures are known for this model\n`
      : `${model}, figures of the ${source}\n\n${figureTable(figures)}`;
  return `${figuresPart}\nlayers, of the text ${quote(layersText)}\n\n${layerTable(layers)}`;
}

/** The reason for exit code 1. */
export function describeFailure({ figures }: VerifyReport): string {
  const failed = figures.filter(({ passed }) => !passed).length;
  const advice = "see what `ggufembed inspect` says of the file, or get it from another source";
  return `figures off: ${failed} of ${figures.length}; ${advice}`;
}

function figureTable(figures: VerifyReport["figures"]): string {
  const head = "published  measured  tolerance  result  texts\n";
  return head + figures.map(figureRow).join("");
}

type FigureCheck = VerifyReport["figures"][number];

function figureRow({ a, b, similarity, measured, tolerance, passed }: FigureCheck): string {
  const result = passed ? styleText("green", "pass  ") : styleText("red", "FAIL  ");
  const numbers = [
    similarity.toFixed(4).padStart(9),
    measured.toFixed(4).padStart(8),
    tolerance.toFixed(4).padStart(9),
  ];
  return `${[...numbers, result].join("  ")}  ${quote(a.text)} / ${quote(b.text)}\n`;
}

function layerTable(layers: readonly LayerFingerprint[]): string {
  return `layer         rms  digest\n${layers.map(layerRow).join("")}`;
}

function layerRow({ layer, rms, digest }: LayerFingerprint): string {
  return `${String(layer).padStart(5)}  ${rms.toPrecision(6).padStart(10)}  ${digest}\n`;
}

const quote = (text: string) => JSON.stringify(text);
