import { expect, test } from "bun:test";
import { join } from "node:path";
import { ensureSynth } from "../../scripts/synth.ts";
import { insertSoaks } from "./document.ts";
import type { Soak } from "./figure.ts";

const MAIN = join(import.meta.dir, "main.ts");

// Not in a test: those have little time.
await ensureSynth("mini");

async function soak(...args: readonly string[]) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

/** Memory of a tiny run says nothing, and times are for long runs: what must be 0 must be. */
async function expectNothingWrong(name: string, counts: number): Promise<void> {
  const { stdout, stderr } = await soak(name, "--tiny", "--json");
  expect(stderr).toBe("");
  const [{ figures }] = JSON.parse(stdout) as [Soak];
  const zeros = figures.filter(({ max }) => max === 0);
  expect(zeros.map(({ value }) => value)).toEqual(new Array(counts).fill(0));
  for (const { what, value } of figures.filter(({ max }) => max !== 0)) {
    expect([what, value > 0]).toEqual([what, true]);
  }
}

test("calls of all sorts from tasks and Workers: every vector has its bits", async () => {
  await expectNothingWrong("mixed", 2);
}, 60_000);

test("cancelled calls leave nothing behind", async () => {
  await expectNothingWrong("cancel", 1);
}, 60_000);

test("the soaks of memory and of lines run", async () => {
  await Promise.all([expectNothingWrong("memory", 0), expectNothingWrong("lines", 0)]);
}, 60_000);

test("a soak that does not exist is a usage error", async () => {
  const { code, stderr } = await soak("everything");
  expect(code).toBe(2);
  expect(stderr).toContain("there is no soak 'everything'");
});

test("the document says what was measured, and whether it was too much", () => {
  const page = (inner: string) =>
    `# Head\n\n<!-- measured: \`bun run soak --write\` writes what follows -->\n\n${inner}\n\n` +
    "<!-- end of what is measured -->\n";
  const figures = [
    { what: "wrong", value: 0, unit: "", max: 0 },
    { what: "memory", value: 12.34, unit: "MB", max: 10 },
    { what: "calls", value: 1000, unit: "" },
  ];
  const written = insertSoaks(page("old"), "a machine", [{ title: "some calls", figures }]);
  const rows = ["| wrong | 0 | ≤ 0 | yes |", "| memory | 12.3 MB | ≤ 10 MB | **no** |"];
  expect(written).toContain("On a machine.\n\n## Some calls\n");
  for (const row of [...rows, "| calls | 1,000 |  |  |"]) expect(written).toContain(row);
  expect(written).not.toContain("old");
  expect(() => insertSoaks("# No place", "", [])).toThrow("are missing");
});
