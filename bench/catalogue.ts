/**
 * `bun run bench:models [ID…]`: errors and speed of every format and architecture, next to
 * llama.cpp's. Writes docs/models.md; the rows that are not measured stay as they were.
 */
import { join } from "node:path";
import { ensureBuilt } from "../scripts/build.ts";
import { ROOT } from "../scripts/paths.ts";
import { UsageError } from "../src/cli/errors.ts";
import { parseOptions, wantsHelp } from "../src/cli/options.ts";
import { hasShared } from "../test/reference/golden.ts";
import { type Catalogue, formatCatalogue } from "./catalogue/document.ts";
import { Contest, type Found } from "./catalogue/measure.ts";
import { ROWS, type Row } from "./catalogue/rows.ts";
import { describeMachine, describeRevision } from "./compare/machine.ts";
import { formatJson, readJson } from "./compare/record.ts";
import { withUsage } from "./usage.ts";

const DATA = join(ROOT, "docs/models.json");
const DOCUMENT = join(ROOT, "docs/models.md");
const USAGE = `usage: bun run bench:models [${ROWS.map(({ id }) => id).join("] [")}]`;

async function main(args: readonly string[]): Promise<void> {
  if (wantsHelp(args)) return console.log(USAGE);
  const { positionals } = parseOptions({}, args);
  const unknown = positionals.find((id) => !ROWS.some((row) => row.id === id));
  if (unknown !== undefined) throw new UsageError(`there is no row '${unknown}'`);
  if (!hasShared) throw new Error("the references are not here: ../shared is not there");
  await ensureBuilt();
  const machine = await describeMachine();
  const commit = describeRevision().commit.slice(0, 12);
  const before = await readJson<Catalogue>(DATA);
  const kept = before?.machine.cpu === machine.cpu ? before.rows : [];
  let catalogue: Catalogue = { machine, rows: kept };
  for (const row of ROWS) {
    if (positionals.length > 0 && !positionals.includes(row.id)) continue;
    const found = await measure(row, commit);
    catalogue = { machine, rows: [...catalogue.rows.filter(({ id }) => id !== row.id), found] };
    // After each row: who stops it halfway has half.
    await Bun.write(DATA, formatJson(catalogue));
    await Bun.write(DOCUMENT, formatCatalogue(catalogue));
    console.log(JSON.stringify(found));
  }
}

async function measure(row: Row, commit: string): Promise<Found> {
  await using contest = await Contest.start();
  const accuracy = await contest.accuracy(row);
  const speed = await contest.speed(row);
  return {
    id: row.id,
    commit,
    ...(accuracy === undefined ? {} : { accuracy }),
    ...(speed === undefined ? {} : { speed }),
  };
}

await withUsage(USAGE, () => main(process.argv.slice(2)));
