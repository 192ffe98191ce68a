import { beforeAll, describe, expect, test } from "bun:test";
import { labelOf, visiblePairs } from "../../bench/profile/operations.ts";
import { readProfileOptions } from "../../bench/profile/options.ts";
import { formatProfile, type Profile } from "../../bench/profile/report.ts";
import { tally } from "../../bench/profile/tally.ts";
import { profile } from "../../bench/profile.ts";
import { ensureBuilt, YARDSTICK } from "../../scripts/build.ts";
import { buildModel } from "../../src/arch/index.ts";
import { tinyModel } from "../engine/tiny-model.ts";

const SCRIPT = new URL("../../bench/profile.ts", import.meta.url).pathname;
const model = tinyModel();
// Not in a hook: those have little time.
await ensureBuilt(undefined, YARDSTICK);

const planOf = () => buildModel(model.file!).plan;

describe("a profile of a tiny model", () => {
  const threads = 2;
  let found: Profile;
  beforeAll(async () => {
    const args = ["--texts", "3", "--tokens", "9", "--threads", `${threads}`, "--seconds", "1"];
    const parallelism = ["--parallelism", "matmul"];
    const options = readProfileOptions(["--model", model.path, ...args, ...parallelism]);
    found = await profile({ ...options, seconds: 0.05 });
  });

  test("counts every operation of the plan once, under its label", () => {
    const { operations } = planOf();
    const labels = new Set(operations.map((operation) => labelOf(planOf(), operation)));
    expect(new Set(found.tally.rows.map(({ label }) => label))).toEqual(labels);
    const executed = found.tally.rows.reduce((total, { count }) => total + count, 0);
    expect(executed).toBe(operations.length);
  });

  test("shares of operations, of waiting and of the rest add up to 1", () => {
    const { rows, waiting, idle, kernels } = found.tally;
    const shares = rows.reduce((total, { share }) => total + share, 0);
    expect(shares).toBeCloseTo(kernels, 9);
    expect(shares + waiting + idle).toBeCloseTo(1, 9);
    for (const share of [kernels, waiting, idle, ...rows.map((row) => row.share)]) {
      expect(share).toBeGreaterThanOrEqual(0);
    }
    expect(found.tally.threads).toBe(threads);
  });

  test("only what multiplies has a rate", () => {
    for (const { label, gmacs, peakShare, gigabytes } of found.tally.rows) {
      const multiplies = /^(matmul|attention) /.test(label);
      expect([label, gmacs !== undefined, peakShare !== undefined]).toEqual([
        label,
        multiplies,
        multiplies,
      ]);
      expect([label, gigabytes !== undefined]).toEqual([label, label.startsWith("matmul ")]);
    }
  });

  test("is told with the machine, the threads, the seed and the result's hash", () => {
    const text = formatProfile(found);
    expect(text).toContain(found.system.cpu);
    expect(text).toContain("2 threads");
    expect(text).toMatch(/3 texts, \d+ tokens, seed 1, parallelism matmul, result [0-9a-f]{16}\n/);
    for (const { label } of found.tally.rows) expect(text).toContain(`\n${label} `);
  });
});

test("rates are of the threads that took part, and beside their peak", () => {
  const plan = planOf();
  const index = plan.operations.findIndex(({ op }) => op === "matmul");
  const operation = plan.operations[index]!;
  if (operation.op !== "matmul") throw new Error("not found");
  const { rows, columns } = plan.weights[operation.matrix]!;
  const width = plan.operations.length * 2;
  // Three threads: one worked for 300 ns and waited for 100, one worked for 400, one slept.
  const cells = new Float32Array(3 * width);
  cells[2 * index] = 300;
  cells[2 * index + 1] = 100;
  cells[width + 2 * index] = 400;
  const run = { lengths: Uint32Array.of(2, 5), runNanoseconds: 500, cells };
  // V's rows see their source in two planes.
  const macs = 7 * (rows + (rows - operation.fineRow)) * columns;
  const { rows: found, ...all } = tally(plan, [run, run], 2, { int8: macs / 1000, float: 1 });
  expect(all).toEqual({
    kernels: 0.7,
    waiting: 0.1,
    idle: expect.closeTo(0.2, 9),
    threads: 2,
    batches: 1,
    nativeMilliseconds: 500 / 1e6,
    int8PeakShare: expect.any(Number),
  });
  const label = labelOf(plan, operation);
  const same = plan.operations.filter((other) => labelOf(plan, other) === label).length;
  expect(found[0]).toEqual({
    label,
    count: same,
    milliseconds: 350 / 1e6,
    share: 0.7,
    gmacs: expect.closeTo((same * macs) / 350, 3),
    peakShare: expect.closeTo((same * 1000) / 700, 6),
    gigabytes: expect.closeTo((same * Math.ceil(rows / 16) * 16 * columns * 1.0625) / 350, 3),
  });
});

test("pairs that see each other", () => {
  expect(visiblePairs(4, 0, false)).toBe(16);
  expect(visiblePairs(4, 0, true)).toBe(10);
  expect(visiblePairs(4, 1, false)).toBe(10);
  expect(visiblePairs(4, 1, true)).toBe(7);
  expect(visiblePairs(3, 9, false)).toBe(9);
});

describe("what it does not know, it says, with the options that there are:", () => {
  test.each([
    [["--token", "3"], "unknown option '--token'; did you mean '--tokens'?"],
    [["--texts", "0"], "option '--texts' takes a whole number from 1, found '0'"],
    [["--parallelism", "both"], "takes one of auto, texts, matmul, found 'both'"],
    [["model.gguf"], "unexpected 'model.gguf': a model is given by --model"],
  ])("%p", async (args, message) => {
    const child = Bun.spawn([process.execPath, SCRIPT, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stderr = await child.stderr.text();
    expect(await child.exited).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain("--parallelism auto|texts|matmul");
  });
});
