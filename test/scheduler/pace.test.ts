import { expect, test } from "bun:test";
import { Pace } from "../../src/scheduler/pace.ts";

/** After batches of 1,000 tokens at so many tokens a millisecond. */
function paceAt(tokensPerMs: number, threads = 2, capacity = 2048): Pace {
  const pace = new Pace(threads, capacity);
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
    [6, 2, 1, 11, 960],
    // … and a text for each thread, if they are long.
    [6, 2, 1, 512, 1024],
    [6, 2, 1, 2000, 2048],
    // Others that wait make them shorter.
    [6, 2, 2, 11, 180],
    [6, 2, 50, 512, 180],
    // Sixteen cores do more in the same time.
    [48, 16, 2, 11, 1440],
    [48, 16, 1, 11, 2048],
    // A small model: the capacity is soon reached.
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
  const pace = new Pace(2, 2048);
  expect(pace.tokensPerMs).toBeUndefined();
  expect(pace.budget({ lines: 1, longest: 11 })).toBe(480);
  expect(pace.expectedMs(300)).toBe(100);
});
