import { formatModels, listModels } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import { printOut } from "../output/stdout.ts";
import { complain } from "../terminal.ts";

export const list = defineCommand({
  name: "list",
  summary: "list the models that are on this machine",
  usage: "[--json]",
  options: { json: { type: "flag", help: "print one JSON array, with paths" } },
  details: `
Every .gguf file in the caches of this program, Hugging Face, llama.cpp and Ollama; not all of them
need run here. Each name will do for -m.`,
  async run({ values, positionals }) {
    if (positionals.length > 0) throw new UsageError("takes no arguments");
    const models = await listModels();
    await printOut(values.json ? `${JSON.stringify(models, null, 2)}\n` : formatModels(models));
    if (models.length === 0 && !values.json) complain("no models are on this machine; see pull");
  },
});
