import { expect, test } from "bun:test";
import type { Outcome } from "../../bench/harness.ts";
import { ensureBuilt, YARDSTICK } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import { systemInfo } from "../../src/index.ts";

const BENCHES = [
  "kernels",
  "tokenizer",
  "single",
  "batch",
  "length",
  "threads",
  "search",
  "event-loop",
];

// Not in a test: those have little time.
await ensureBuilt(undefined, YARDSTICK);
await ensureSynth("mini");

async function bench(...args: readonly string[]) {
  const command = [process.execPath, "bench/main.ts", ...args];
  const child = Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

test("every bench runs at the tiny size, and computes what its input says", async () => {
  const { code, stdout, stderr } = await bench("--tiny", "--json");
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  const { outcomes } = JSON.parse(stdout) as { outcomes: Outcome[] };
  expect([...new Set(outcomes.map((outcome) => outcome.bench))]).toEqual(BENCHES);
  for (const { name, samples, min, p50, p99 } of outcomes) {
    expect([name, samples > 0, min >= 0, p50 > 0, p99 >= p50]).toEqual([name, ...yes(4)]);
  }

  // `Model: 8 texts, 223 tokens, 2 threads, matmul` is `Model: 8 texts, 223 tokens`.
  const results = new Map<string, Set<string>>();
  for (const { bench, name, result = "" } of outcomes) {
    if (bench === "kernels" || result === "") continue;
    const input = name.split(", ").slice(0, 2).join(", ");
    results.set(input, (results.get(input) ?? new Set()).add(result));
  }
  expect(results.size).toBeGreaterThan(4);
  for (const [input, found] of results) expect([input, found.size]).toEqual([input, 1]);

  const variants = (await systemInfo()).native?.variants ?? [];
  const kernels = outcomes.filter((outcome) => outcome.bench === "kernels");
  for (const variant of variants) {
    const own = kernels.filter(({ name }) => name.endsWith(variant));
    expect(own.length).toBe(kernels.length / variants.length);
  }
}, 60_000);

test("one bench alone, for a person", async () => {
  const { code, stdout } = await bench("--tiny", "batch", "--seed", "3");
  expect(code).toBe(0);
  expect(stdout).toContain((await systemInfo()).cpu);
  expect(stdout).toContain("seed 3\n");
  expect(stdout).toMatch(/\nbatch +p50 +p99 +min +max +rate\n/);
  expect(stdout).toMatch(/\nEmbeddingGemma: 8 texts, \d+ tokens .* tokens\/s +[0-9a-f]{16}\n/);
  expect(stdout).not.toMatch(/^(kernels|single)/m);
});

test("an unknown bench is refused, with those that there are", async () => {
  const { code, stderr } = await bench("--tiny", "batches");
  expect(code).toBe(2);
  expect(stderr).toContain("there is no bench 'batches'");
  for (const name of BENCHES) expect(stderr).toContain(`[${name}]`);
});

function yes(count: number): boolean[] {
  return Array.from({ length: count }, () => true);
}
