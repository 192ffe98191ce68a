import { expect, test } from "bun:test";
import { ensureBuilt } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { ensureSynth } from "../../scripts/synth.ts";

// Not in a test: those have little time.
await ensureBuilt();
await ensureSynth("mini");

async function bench(...args: readonly string[]) {
  const command = [process.execPath, "bench/documents.ts", ...args];
  const child = Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

test("every measure of an index runs at the tiny size, and finds something", async () => {
  const { code, stdout, stderr } = await bench("--tiny");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^[1-9]\d* chunks of [1-9]\d* files: \d+\.\d MB$/m);
  for (const mode of ["vector", "text", "hybrid"]) {
    expect(stdout).toMatch(new RegExp(`^  ${mode}, without: p50 \\d+\\.\\d ms, p95 `, "m"));
  }
  // So few are all compared.
  expect(stdout.match(/^ {2}5 .*: 1\.0000$/gm)).toHaveLength(2);
  expect(stdout).toMatch(/^indexing: \d\.\d\d of the model's pace/m);
}, 60_000);

test("an unknown part is refused", async () => {
  const { code, stderr } = await bench("--tiny", "paces");
  expect([code, stderr.split("\n")[0]]).toEqual([2, "error: there is no part 'paces'"]);
});
