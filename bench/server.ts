/**
 * `bun run bench:server [NAME…]`: what serving costs beside the library, alternating in one run.
 * Absolute figures mean little on a shared machine; clients share its cores with the server.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../scripts/build.ts";
import { ensureMiniLM } from "../scripts/models.ts";
import { ensureSynth } from "../scripts/synth.ts";
import { UsageError } from "../src/cli/errors.ts";
import { parseOptions, wantsHelp } from "../src/cli/options.ts";
import { open } from "../src/index.ts";
import { SHORT } from "./models.ts";
import { llamaServer } from "./server/llama-server.ts";
import { overhead } from "./server/overhead.ts";
import { overload } from "./server/overload.ts";
import { CLIENTS, type Scene } from "./server/scene.ts";
import { throughput } from "./server/throughput.ts";
import { makeTextsOfTokens } from "./texts.ts";
import { withUsage } from "./usage.ts";

const MEASURES: Readonly<Record<string, (scene: Scene) => Promise<string[]>>> = {
  overhead,
  throughput,
  overload,
  "llama-server": llamaServer,
};

const USAGE = `usage: bun run bench:server [${Object.keys(MEASURES).join("] [")}] [options]
  --model M  gemma (the synthetic EmbeddingGemma) or minilm (gemma)
  --tiny     a few seconds for everything, and figures that mean nothing`;

async function main(args: readonly string[]): Promise<void> {
  if (wantsHelp(args)) return console.log(USAGE);
  const { values, positionals } = parseOptions(
    {
      model: { type: "choice", choices: ["gemma", "minilm"], help: "" },
      tiny: { type: "flag", help: "" },
    },
    args,
  );
  const unknown = positionals.find((name) => !Object.hasOwn(MEASURES, name));
  if (unknown !== undefined) throw new UsageError(`there is no measure '${unknown}'`);
  await ensureBuilt();
  const { tiny } = values;
  const model =
    values.model === "minilm" ? await ensureMiniLM() : await ensureSynth(tiny ? "mini" : "full");
  const folder = mkdtempSync(join(tmpdir(), "ggufembed-bench-"));
  try {
    for (const [name, measure] of Object.entries(MEASURES)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      await using embedder = await open(model);
      const count = (text: string) => embedder.tokenize(text).length;
      const texts = makeTextsOfTokens(4 * CLIENTS, SHORT, 1, count);
      await embedder.embed(texts.slice(0, CLIENTS));
      for (const line of await measure({ model, embedder, texts, folder, tiny })) {
        console.log(line);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await withUsage(USAGE, () => main(process.argv.slice(2)));
