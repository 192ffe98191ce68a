import { expect, test } from "bun:test";
import { Pace } from "../../src/scheduler/pace.ts";

/** After batches of 1,000 tokens at so many tokens a millisecond. */
function paceAt(tokensPerMs: number, threads = 2): Pace {
  const budget = 2048;
  const pace = new Pace({ threads, budget, capacity: 2048, macsPerToken: 100e6 });
  for (let i = 0; i < 30; i++) pace.observe(1000, 1000 / tokensPerMs);
  return pace;
}

test("the table of queues and batches", () => {
  const table: readonly [
    tokensPerMs: number,
    threads: number,
    lines: number,
    longest: number,
    budget: number,
  ][] = [
    // EmbeddingGemma on two cores: one caller gets batches for the threads' sake …
    [6, 2, 1, 11, 1920],
    [2, 2, 1, 11, 640],
    // … and a text for each thread, if they are long.
    [2, 2, 1, 512, 1024],
    [6, 2, 1, 2000, 2048],
    // Others that wait make them shorter.
    [6, 2, 2, 11, 180],
    [6, 2, 50, 512, 180],
    // Sixteen cores do more in the same time.
    [48, 16, 2, 11, 1440],
    [48, 16, 1, 11, 2048],
    // A small model: more tokens would be no faster.
    [60, 2, 1, 11, 2048],
    [60, 2, 2, 11, 1800],
    // A slow machine still computes more than it reads.
    [0.5, 2, 2, 11, 64],
    [0.5, 16, 2, 11, 512],
  ];
  for (const [tokensPerMs, threads, lines, longest, budget] of table) {
    const pace = paceAt(tokensPerMs, threads);
    expect([tokensPerMs, lines, pace.budget({ lines, longest })]).toEqual([
      tokensPerMs,
      lines,
      budget,
    ]);
  }
});

test("learns from what ran, but not from batches that only read the weights", () => {
  const pace = paceAt(6);
  pace.observe(11, 4);
  expect(pace.tokensPerMs).toBeCloseTo(6);
  for (let i = 0; i < 30; i++) pace.observe(1000, 500);
  expect(pace.tokensPerMs).toBeCloseTo(2, 1);
  expect(pace.expectedMs(100)).toBeCloseTo(50, 0);
});

test("before anything ran, it guesses", () => {
  // EmbeddingGemma and all-MiniLM-L6-v2, by their size.
  for (const [macs, budget, ms] of [
    [106e6, 1208, 79.5],
    [10.6e6, 2048, 7.95],
  ] as const) {
    const pace = new Pace({ threads: 2, budget: 2048, capacity: 2048, macsPerToken: macs });
    expect(pace.tokensPerMs).toBeUndefined();
    expect(pace.budget({ lines: 1, longest: 11 })).toBe(budget);
    expect(pace.expectedMs(300)).toBeCloseTo(ms);
  }
});
