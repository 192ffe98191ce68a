import { expect, test } from "bun:test";
import { ensureBuilt } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { ensureSynth } from "../../scripts/synth.ts";

// Not in a test: those have little time.
await ensureBuilt();
await ensureSynth("mini");

async function bench(...args: readonly string[]) {
  const command = [process.execPath, "bench/server.ts", ...args];
  const child = Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

test("every measure of the server runs at the tiny size, and gets answers", async () => {
  const measures = ["overhead", "throughput", "overload"];
  const { code, stdout, stderr } = await bench("--tiny", ...measures);
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  const [, byServer, byLibrary] = /^one text: (\S+) ms by the server, (\S+) ms/m.exec(stdout) ?? [];
  expect([Number(byServer) > 0, Number(byLibrary) > 0]).toEqual([true, true]);
  expect(stdout).toMatch(/^ +[1-9]\d* of [1-9]\d* texts\/s, p50 \d+ ms/m);
  expect(stdout).toMatch(/^64 clients, a text of \d+ tokens each: \d+\.\d+ of /m);
  // Nothing but answers and refusals; 504 where this machine stood still.
  const refused = "(none|(429|504): \\d+(, 504: \\d+)?)";
  expect(stdout).toMatch(new RegExp(`: [1-9]\\d* answered, others ${refused}( |$)`, "m"));
  expect(stdout).toMatch(/^ +p99 of those answered [1-9]\d* ms/m);
  expect(stdout).toMatch(/^ +resident memory .*[1-9]\d* MB/m);
}, 60_000);

test("an unknown measure is refused, with those that there are", async () => {
  const { code, stderr } = await bench("--tiny", "overheads");
  expect(code).toBe(2);
  expect(stderr).toContain("there is no measure 'overheads'");
  for (const name of ["overhead", "throughput", "overload"]) expect(stderr).toContain(`[${name}]`);
});
