/**
 * `bun run bench [NAME…]`: times of this program alone. Absolute times mean little on a shared
 * machine: compare lines of one run. `bun run bench:compare` sets others beside it, `bun run
 * profile` tells where the time goes.
 */

import { ensureBuilt } from "../scripts/build.ts";
import { UsageError } from "../src/cli/errors.ts";
import { parseOptions, wantsHelp } from "../src/cli/options.ts";
import { systemInfo } from "../src/index.ts";
import { batch } from "./batch.ts";
import { eventLoop } from "./event-loop.ts";
import { type Bench, formatOutcome, HEAD, type Outcome, runBench } from "./harness.ts";
import { kernels } from "./kernels.ts";
import { length } from "./length.ts";
import { search } from "./search.ts";
import { single } from "./single.ts";
import { threads } from "./threads.ts";
import { tokenizer } from "./tokenizer.ts";
import { withUsage } from "./usage.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  kernels,
  tokenizer,
  single,
  batch,
  length,
  threads,
  search,
  "event-loop": eventLoop,
};

const USAGE = `usage: bun run bench [${Object.keys(BENCHES).join("] [")}] [options]
  --tiny     a few seconds for everything, and figures that mean nothing
  --seed N   of the texts (1)
  --json     everything as JSON`;

async function main(args: readonly string[]): Promise<void> {
  if (wantsHelp(args)) return console.log(USAGE);
  const { values, positionals } = parseOptions(
    {
      tiny: { type: "flag", help: "" },
      json: { type: "flag", help: "" },
      seed: { type: "count", value: "N", help: "" },
    },
    args,
  );
  const unknown = positionals.find((name) => !Object.hasOwn(BENCHES, name));
  if (unknown !== undefined) throw new UsageError(`there is no bench '${unknown}'`);
  await ensureBuilt();
  const setting = { size: values.tiny ? "tiny" : "full", seed: values.seed ?? 1 } as const;
  const system = await systemInfo();
  const say = (line: string) => values.json || console.log(line);
  say(
    `${system.cpu}, ${system.native?.variant}, ${system.cores} cores, Bun ${system.bun}, ` +
      `seed ${setting.seed}`,
  );
  const outcomes: Outcome[] = [];
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    say(`\n${name}${HEAD.slice(name.length)}`);
    for await (const outcome of runBench(name, bench, setting)) {
      say(formatOutcome(outcome));
      outcomes.push(outcome);
    }
  }
  if (values.json) console.log(JSON.stringify({ system, setting, outcomes }, null, 2));
}

await withUsage(USAGE, () => main(process.argv.slice(2)));
