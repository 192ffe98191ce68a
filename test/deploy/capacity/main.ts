/**
 * `bun test/deploy/capacity/main.ts [NAME…] [--write]`: what instances, nginx and answers cost, for
 * docs/capacity.json. `--write` keeps what was measured there, and makes docs/capacity.md of it;
 * alone it makes the document anew of what is there.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeMachine, describeRevision } from "../../../bench/compare/machine.ts";
import { writeDocument } from "./document.ts";
import { FIGURES_PATH, type Figures, readFigures } from "./figures.ts";
import { costs, latencies, layouts, sizes } from "./measures.ts";
import { queued } from "./queued.ts";
import { makeScene, type Scene } from "./scene.ts";

const MEASURES: Readonly<Record<string, (scene: Scene) => Promise<Partial<Figures>>>> = {
  layouts,
  latencies,
  costs,
  sizes,
  queued,
};

const args = process.argv.slice(2);
const isWriting = args.includes("--write");
const names = args.filter((arg) => arg !== "--write");
const unknown = names.find((name) => !Object.hasOwn(MEASURES, name));
if (unknown !== undefined) throw new Error(`there is no measure '${unknown}'`);
const folder = mkdtempSync(join(tmpdir(), "ggufembed-capacity-"));
try {
  const scene = names.length === 0 && isWriting ? undefined : await makeScene(folder);
  for (const [name, measure] of Object.entries(MEASURES)) {
    if (scene === undefined || (names.length > 0 && !names.includes(name))) continue;
    const found = await measure(scene);
    console.log(JSON.stringify(found, undefined, 1));
    if (!isWriting) continue;
    const before = existsSync(FIGURES_PATH) ? await readFigures() : {};
    const where = { machine: await describeMachine(), revision: describeRevision() };
    const after = { ...before, ...where, ...found };
    await Bun.write(FIGURES_PATH, `${JSON.stringify(after, undefined, 1)}\n`);
  }
  if (isWriting) await writeDocument(await readFigures());
} finally {
  rmSync(folder, { recursive: true });
}
