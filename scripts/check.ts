/**
 * `bun run check`: everything that must hold before a change goes in. Says how each step ended,
 * shows the output of those that failed, and ends with the line `N passed, N failed`: the tests of
 * Zig and of Bun, plus one failure for each other step that failed.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GgufEmbedError } from "../src/errors.ts";
import { ensureBuilt, runZigBuild, YARDSTICK } from "./build.ts";
import { bunCounts, type Counts, zigCounts } from "./counts.ts";
import { runInstall } from "./install.ts";
import { fetchMiniLM } from "./minilm.ts";
import { CACHE, ROOT } from "./paths.ts";
import { type Finished, runCommand } from "./process.ts";
import { findZig } from "./zig.ts";

interface Outcome {
  readonly ok: boolean;
  /** Only from steps that run tests. */
  readonly counts?: Counts;
  /** Shown if the step failed. */
  readonly output: string;
}

interface Finding extends Outcome {
  readonly name: string;
}

const findings: Finding[] = [];
const say = (line: string) => console.log(line);

/** Runs one step and says how it ended. A step that throws has failed; the others go on. */
async function step(name: string, work: () => Promise<Outcome>): Promise<boolean> {
  const start = performance.now();
  const outcome = await work().catch(
    (error: unknown): Outcome => ({
      ok: false,
      output: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { ok, counts, output } = outcome;
  const tests = (counts?.passed ?? 0) + (counts?.failed ?? 0);
  const told = tests === 0 ? "" : `  ${counts?.passed} passed, ${counts?.failed} failed`;
  say(`${ok ? "ok  " : "FAIL"}  ${name.padEnd(28)}${seconds.padStart(6)} s${told}`);
  if (!ok) say(output.replace(/^/gm, "      "));
  findings.push({ name, ...outcome });
  return ok;
}

function plain({ exitCode, output }: Finished): Outcome {
  return { ok: exitCode === 0, output };
}

/** A runner that fails or counts nothing has failed, whatever it counted. */
function tested({ exitCode, output }: Finished, counted: Counts): Outcome {
  const missed = exitCode !== 0 || counted.passed === 0 ? 1 : 0;
  const counts = { ...counted, failed: Math.max(counted.failed, missed) };
  return { ok: counts.failed === 0, counts, output: output || "no test ran" };
}

/** Runs a package's own script with the Bun that runs us: there may be no other. */
function runPackage(label: string, script: string, ...parameters: string[]): Promise<Finished> {
  const command = [process.execPath, join(ROOT, "node_modules", script), ...parameters];
  return runCommand(command, { label, log: say, cwd: ROOT });
}

const lint = () =>
  step("lint and format", async () =>
    plain(await runPackage("linting", "@biomejs/biome/bin/biome", "ci", "--error-on-warnings")),
  );

const types = () =>
  step("types", async () => plain(await runPackage("checking types", "typescript/bin/tsc")));

/** Code for browsers has their types, and none of Bun's. */
const pageTypes = () =>
  step("types of the page", async () =>
    plain(await runPackage("checking types", "typescript/bin/tsc", "--project", "src/page")),
  );

const reference = () =>
  step("API reference", async () => {
    const command = [process.execPath, join(ROOT, "scripts", "reference.ts"), "--check"];
    return plain(await runCommand(command, { label: "API reference", log: say, cwd: ROOT }));
  });

const build = () =>
  step("native library", async () => {
    await ensureBuilt(say);
    await ensureBuilt(say, YARDSTICK);
    return { ok: true, output: "" };
  });

async function zigFormat(zig: string): Promise<boolean> {
  return await step("format (Zig)", async () => {
    const command = [zig, "fmt", "--check", "build.zig", "zig"];
    return plain(await runCommand(command, { label: "zig fmt", log: say, cwd: ROOT }));
  });
}

async function generated(zig: string): Promise<boolean> {
  const path = join(ROOT, "src", "native", "abi.ts");
  return await step("generated files", async () => {
    const before = await readFile(path, "utf8");
    const finished = await runZigBuild(zig, ["abi"], "generating", say);
    if (finished.exitCode !== 0) return plain(finished);
    const ok = (await readFile(path, "utf8")) === before;
    return { ok, output: `${path} was not what the generator makes: commit what it is now` };
  });
}

async function zigTests(zig: string, mode: string): Promise<boolean> {
  const name = `Zig tests (${mode})`;
  return await step(name, async () => {
    const parameters = ["test", "--summary", "all", `-Doptimize=${mode}`];
    const finished = await runZigBuild(zig, parameters, name, say);
    return tested(finished, zigCounts(finished.output));
  });
}

const bunTests = () =>
  step("bun test", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ggufembed-check-"));
    const report = join(folder, "junit.xml");
    try {
      const finished = await runCommand(
        [
          process.execPath,
          "test",
          "--only-failures",
          "--reporter=junit",
          `--reporter-outfile=${report}`,
        ],
        { label: "bun test", log: say, cwd: ROOT, env: { ...process.env, NO_COLOR: "1" } },
      );
      const junit = await readFile(report, "utf8").catch(() => "");
      return tested(finished, bunCounts(finished.output, junit));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

/** A real model for the tests that want one. They do without where there is no network. */
const weights = () =>
  step("weights for the tests", async () => {
    try {
      await fetchMiniLM(CACHE, say);
      return { ok: true, output: "" };
    } catch (error) {
      if (!(error instanceof GgufEmbedError)) throw error;
      const skipped = [error.message.split("\n", 1).join()];
      return { ok: true, counts: { passed: 0, failed: 0, skipped }, output: "" };
    }
  });

/** What needs Zig. Without a library its tests would only repeat the compiler's complaints. */
async function nativeSteps(): Promise<void> {
  if (!(await build())) return;
  const zig = await findZig(undefined, say);
  await zigFormat(zig);
  await generated(zig);
  // Side by side: each spends most of its time in one thread of the compiler.
  await Promise.all([zigTests(zig, "Debug"), zigTests(zig, "ReleaseSafe")]);
}

async function checkAll(): Promise<void> {
  await step("packages", async () => plain(await runInstall(say)));
  await Promise.all([lint(), types(), pageTypes(), reference(), weights(), nativeSteps()]);
  // Alone: its tests start processes and wait for them.
  await bunTests();
}

function summarize(): number {
  const skipped = findings.flatMap(({ name, counts }) =>
    (counts?.skipped ?? []).map((test) => `  ${name}: ${test}`),
  );
  if (skipped.length > 0) say(["skipped:", ...skipped].join("\n"));
  const sum = (count: (finding: Finding) => number) =>
    findings.reduce((total, finding) => total + count(finding), 0);
  const passed = sum(({ counts }) => counts?.passed ?? 0);
  const failed = sum(({ ok, counts }) => counts?.failed ?? (ok ? 0 : 1));
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

await checkAll();
process.exit(summarize());
