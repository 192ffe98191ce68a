/**
 * `bun run soak [NAME…]`: long runs that look for what short tests miss: wrong bits under load,
 * memory that grows, calls that are lost. Ends with code 1 if a figure exceeds its bar.
 */
import { join } from "node:path";
import { describeMachine } from "../../bench/compare/machine.ts";
import { withUsage } from "../../bench/usage.ts";
import { ensureBuilt } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { UsageError } from "../../src/cli/errors.ts";
import { parseOptions, wantsHelp } from "../../src/cli/options.ts";
import { cancel } from "./cancel.ts";
import { insertSoaks } from "./document.ts";
import { formatFigure, isMet, type Size, type Soak } from "./figure.ts";
import { lines } from "./lines.ts";
import { memory } from "./memory.ts";
import { mixed } from "./mixed.ts";

const SOAKS: Readonly<Record<string, (size: Size) => Promise<Soak>>> = {
  mixed,
  cancel,
  memory,
  lines,
};

const USAGE = `usage: bun run soak [${Object.keys(SOAKS).join("] [")}] [options]
  --tiny     a few seconds for everything
  --json     everything as JSON
  --write    docs/soak.md`;

async function main(args: readonly string[]): Promise<void> {
  if (wantsHelp(args)) return console.log(USAGE);
  const { values, positionals } = parseOptions(
    {
      tiny: { type: "flag", help: "" },
      json: { type: "flag", help: "" },
      write: { type: "flag", help: "" },
    },
    args,
  );
  const unknown = positionals.find((name) => !Object.hasOwn(SOAKS, name));
  if (unknown !== undefined) throw new UsageError(`there is no soak '${unknown}'`);
  await ensureBuilt();
  const results: Soak[] = [];
  for (const [name, run] of Object.entries(SOAKS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    // A process of its own: what one leaves in memory is not the next one's.
    const soak =
      values.json || positionals.length === 1
        ? await run(sizeOf(values))
        : await alone(name, values.tiny);
    results.push(soak);
    if (!values.json) console.log(formatSoak(soak));
  }
  if (values.json) console.log(JSON.stringify(results));
  if (values.write) await write(results);
  if (!results.every(({ figures }) => figures.every(isMet))) process.exitCode = 1;
}

const sizeOf = ({ tiny }: { readonly tiny: boolean }): Size => (tiny ? "tiny" : "full");

async function alone(name: string, tiny: boolean): Promise<Soak> {
  const command = [process.execPath, import.meta.path, name, "--json", ...(tiny ? ["--tiny"] : [])];
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  const output = await child.stdout.text();
  await child.exited;
  const [soak] = JSON.parse(output) as Soak[];
  return soak!;
}

function formatSoak({ title, figures }: Soak): string {
  const rows = figures.map((figure) => {
    const bar =
      figure.max === undefined ? "" : `  at most ${formatFigure({ ...figure, value: figure.max })}`;
    return `  ${isMet(figure) ? " " : "!"} ${figure.what}: ${formatFigure(figure)}${bar}`;
  });
  return [title, ...rows].join("\n");
}

async function write(soaks: readonly Soak[]): Promise<void> {
  const path = join(ROOT, "docs", "soak.md");
  const { cpu, cores, variant, bun } = await describeMachine();
  const machine = `${cpu}, ${cores} cores, variant \`${variant}\`, Bun ${bun}`;
  await Bun.write(path, insertSoaks(await Bun.file(path).text(), machine, soaks));
}

await withUsage(USAGE, () => main(process.argv.slice(2)));
