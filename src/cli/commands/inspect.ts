import { formatInspection, inspect as inspectFile } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { withDownloadBar } from "../download-bar.ts";
import { onlyModel } from "../model.ts";
import { printOut } from "../output/stdout.ts";

export const inspect = defineCommand({
  name: "inspect",
  summary: "show what a model file holds, and what looks wrong in it",
  usage: "MODEL [--json]",
  options: { json: { type: "flag", help: "print one JSON object" } },
  async run({ values, positionals }) {
    const model = onlyModel(positionals);
    const inspection = await withDownloadBar((options) => inspectFile(model, options));
    const text = values.json ? JSON.stringify(inspection, null, 2) : formatInspection(inspection);
    await printOut(`${text.trimEnd()}\n`);
  },
});
