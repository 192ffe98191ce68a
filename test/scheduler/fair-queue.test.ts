import { describe, expect, spyOn, test } from "bun:test";
import { FairQueue, Line, type Shape } from "../../src/scheduler/fair-queue.ts";

const SHAPE: Shape = { dimensions: 8, normalize: true };
const receiver = { vector: () => {}, failed: () => {} };

/** A queue of callers, each with texts of the given lengths. */
function queueOf(...callers: readonly (readonly number[])[]) {
  const queue = new FairQueue();
  const lines = callers.map((lengths) => {
    const line = new Line(SHAPE, receiver);
    queue.push(line, lengths.map(jobOf));
    return line;
  });
  /** Which caller's text of which length, in the order of the batch. */
  const take = (budget: number) =>
    queue.take(budget).map(({ line, ids }) => [lines.indexOf(line), ids.length] as const);
  return { queue, lines, take };
}

function jobOf(length: number, tag: number) {
  return { ids: new Int32Array(length), tag };
}

function tokensOf(batch: readonly (readonly [caller: number, length: number])[], caller: number) {
  return batch.reduce((total, [who, length]) => total + (who === caller ? length : 0), 0);
}

describe("a caller that is alone", () => {
  test("gets the whole batch, its longest texts first", () => {
    const { take } = queueOf([3, 50, 20, 40, 10]);
    expect(take(100)).toEqual([
      [0, 50],
      [0, 40],
      [0, 10],
    ]);
    expect(take(100)).toEqual([
      [0, 20],
      [0, 3],
    ]);
    expect(take(100)).toEqual([]);
  });

  test("has a text that is longer than the budget in a batch of its own", () => {
    const { take } = queueOf([500, 10]);
    expect(take(100)).toEqual([[0, 500]]);
    expect(take(100)).toEqual([[0, 10]]);
  });

  test("has its groups in their order", () => {
    const { queue, lines, take } = queueOf([10, 20]);
    queue.push(lines[0]!, [jobOf(90, 7)]);
    expect(take(40)).toEqual([
      [0, 20],
      [0, 10],
    ]);
    expect(take(100)).toEqual([[0, 90]]);
  });
});

describe("callers that wait together", () => {
  test("share each batch", () => {
    const many = new Array(100).fill(64);
    const { take } = queueOf(many, many, [64]);
    const batch = take(768);
    expect(tokensOf(batch, 2)).toBe(64);
    expect(tokensOf(batch, 0) + tokensOf(batch, 1)).toBe(704);
    expect(Math.abs(tokensOf(batch, 0) - tokensOf(batch, 1))).toBeLessThanOrEqual(64);
  });

  test("short texts are not stuck behind long ones, nor long ones behind short ones", () => {
    const { take } = queueOf(new Array(50).fill(512), new Array(1000).fill(11));
    let long = 0;
    let short = 0;
    const gaps: number[] = [];
    for (let round = 0; round < 60; round++) {
      const batch = take(256);
      long += tokensOf(batch, 0);
      short += tokensOf(batch, 1);
      if (tokensOf(batch, 0) > 0) gaps.push(round);
    }
    expect(Math.abs(long / short - 1)).toBeLessThan(0.1);
    // A long text waits no more than a few batches, and not two of them come at once.
    const waits = gaps.slice(1).map((round, i) => round - gaps[i]!);
    expect(Math.max(...waits)).toBeLessThanOrEqual(6);
    expect(Math.min(...waits)).toBeGreaterThan(1);
  });

  test("each gets its share, whatever the lengths of its texts", () => {
    const callers = [300, 7, 64, 1, 130].map((length) =>
      new Array(Math.ceil(40_000 / length)).fill(length),
    );
    const { take } = queueOf(...callers);
    const tokens = callers.map(() => 0);
    for (let round = 0; round < 100; round++) {
      const batch = take(512);
      for (const caller of tokens.keys()) tokens[caller]! += tokensOf(batch, caller);
    }
    const share = tokens.reduce((a, b) => a + b) / tokens.length;
    for (const found of tokens) expect(Math.abs(found / share - 1)).toBeLessThan(0.05);
  });

  test("a thousand of them are all served in turn", () => {
    const { queue, take } = queueOf(...Array.from({ length: 1000 }, () => [11, 11]));
    const served = new Set<number>();
    for (let round = 0; round < 50 && served.size < 1000; round++) {
      for (const [caller] of take(512)) served.add(caller);
    }
    expect(served.size).toBe(1000);
    expect(queue.tokens).toBe(queue.texts * 11);
  });

  test("nobody who waits is overtaken for ever by those that come", () => {
    const queue = new FairQueue();
    const bulk = new Line(SHAPE, receiver);
    queue.push(
      bulk,
      Array.from({ length: 300 }, (_, tag) => jobOf(40, tag)),
    );
    const cameAt = new Map<Line, number>();
    const served: number[] = [];
    let bulkTexts = 0;
    for (let round = 0; round < 500; round++) {
      // More come in every round than a batch holds: the queue grows and grows.
      for (let i = 0; i < 12; i++) {
        const line = new Line(SHAPE, receiver);
        cameAt.set(line, round);
        queue.push(line, [jobOf(11, 0)]);
      }
      for (const { line } of queue.take(110)) {
        if (line === bulk) bulkTexts += 1;
        else served.push(cameAt.get(line)!);
      }
    }
    // First come, first served.
    expect(served).toEqual(served.toSorted((a, b) => a - b));
    expect(bulkTexts).toBeGreaterThan(5);
  });

  test("a text that found no room comes first in the next batch", () => {
    const { take } = queueOf(new Array(30).fill(10), [150]);
    expect(tokensOf(take(100), 1)).toBe(0);
    expect(take(100)).toEqual([[1, 150]]);
  });

  test("share a batch only with those of their shape, and are served all the same", () => {
    const queue = new FairQueue();
    const a = new Line(SHAPE, receiver);
    const b = new Line({ ...SHAPE, dimensions: 4 }, receiver);
    const c = new Line({ ...SHAPE }, receiver);
    for (const line of [a, b, c]) queue.push(line, [jobOf(10, 0), jobOf(10, 1)]);
    const first = queue.take(100).map(({ line }) => line);
    expect(first.map((line) => [a, b, c].indexOf(line))).toEqual([0, 2, 0, 2]);
    expect(queue.take(100).every(({ line }) => line === b)).toBe(true);
  });
});

test("what is dropped is gone, and counts are right throughout", () => {
  const { queue, lines, take } = queueOf([10, 20], [30]);
  expect([queue.lines, queue.texts, queue.tokens]).toEqual([2, 3, 60]);
  queue.drop(lines[0]!);
  expect([queue.lines, queue.texts, queue.tokens]).toEqual([1, 1, 30]);
  queue.drop(lines[0]!);
  expect(take(100)).toEqual([[1, 30]]);
  expect([queue.lines, queue.texts, queue.tokens]).toEqual([0, 0, 0]);
  queue.push(lines[0]!, []);
  expect(queue.lines).toBe(0);
});

test("every text comes out once, in any mixture", () => {
  let state = 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
  const queue = new FairQueue();
  const wanted = new Set<string>();
  const found: string[] = [];
  const lines = Array.from(
    { length: 9 },
    (_, i) => new Line({ ...SHAPE, dimensions: 1 + (i % 2) }, receiver),
  );
  const tags = new Map(lines.map((line) => [line, 0]));
  for (let round = 0; round < 2000; round++) {
    const line = lines[next(lines.length)]!;
    const jobs = Array.from({ length: next(4) }, () => {
      const tag = tags.get(line)!;
      tags.set(line, tag + 1);
      wanted.add(`${lines.indexOf(line)}:${tag}`);
      return jobOf(1 + next(300), tag);
    });
    queue.push(line, jobs);
    const budget = 1 + next(700);
    const batch = queue.take(budget);
    const tokens = batch.reduce((total, { ids }) => total + ids.length, 0);
    expect(batch.length === 1 || tokens <= budget).toBe(true);
    expect(new Set(batch.map((job) => job.line.shape.dimensions)).size).toBeLessThanOrEqual(1);
    for (const job of batch) found.push(`${lines.indexOf(job.line)}:${job.tag}`);
  }
  while (queue.texts > 0) {
    for (const job of queue.take(500)) found.push(`${lines.indexOf(job.line)}:${job.tag}`);
  }
  expect(found.length).toBe(wanted.size);
  expect(new Set(found)).toEqual(wanted);
});

test("of thousands of callers, few are asked for a text that fits what is left", () => {
  const { take } = queueOf(...Array.from({ length: 10_000 }, () => [3]));
  using next = spyOn(Line.prototype, "next");
  expect(take(100).length).toBe(33);
  expect(next.mock.calls.length).toBeLessThan(150);
});
