import { afterAll, expect, test } from "bun:test";
import { Yardstick } from "../../bench/yardstick.ts";
import { systemInfo } from "../../src/index.ts";

const yardstick = await Yardstick.start();
afterAll(() => yardstick[Symbol.asyncDispose]());

const shortly = { threads: 2, milliseconds: 2 };

test("it finds the variants that the library finds", async () => {
  const { native } = await systemInfo();
  expect(await yardstick.variants()).toEqual(native?.variants ?? []);
});

test("every variant computes in both kinds, on as many threads as it is told", async () => {
  for (const variant of await yardstick.variants()) {
    for (const kind of ["int8", "float"] as const) {
      const { seconds, gmacs } = await yardstick.peak(variant, kind, shortly);
      expect(seconds).toBeGreaterThanOrEqual(0.002);
      expect(gmacs).toBeGreaterThan(0);
    }
  }
});

test("the control does its work on each thread", async () => {
  const done = async (threads: number, units: number) => {
    const { seconds, gmacs } = await yardstick.control(threads, units);
    return (seconds * gmacs * 1e9) / 2 ** 20;
  };
  // It ends with the round that reaches the goal: no round has sixteen units.
  const round = 16;
  for (const [threads, units] of [
    [1, 100],
    [2, 100],
    [2, 1000],
  ] as const) {
    const found = await done(threads, units);
    expect(found).toBeGreaterThanOrEqual(threads * units * 0.999);
    expect(found).toBeLessThan(threads * (units + round));
  }
});

test("memory is read in whole megabytes, by each thread", async () => {
  const { seconds, gigabytes } = await yardstick.memory(4, shortly);
  const megabytes = (seconds * gigabytes * 1e9) / 2 ** 20;
  expect(megabytes).toBeGreaterThan(shortly.threads - 0.5);
  expect(Math.abs(megabytes - Math.round(megabytes))).toBeLessThan(1e-6);
});

test("what it refuses, it refuses by name, and goes on", async () => {
  const [best = ""] = await yardstick.variants();
  const refused: readonly (readonly [ask: () => Promise<unknown>, reason: RegExp])[] = [
    [() => yardstick.peak("sse9", "int8", shortly), /UnknownVariant: peak sse9 int8 2 2/],
    [() => yardstick.peak(best, "int8", { ...shortly, threads: 0 }), /OutOfRange/],
    [() => yardstick.control(1.5, 1), /NotANumber/],
    [() => yardstick.memory(1, shortly), /TooLittleMemory/],
  ];
  for (const [ask, reason] of refused) await expect(ask()).rejects.toThrow(reason);
  expect(await yardstick.variants()).not.toBeEmpty();
});
