import { expect, test } from "bun:test";
import { Turns } from "../../src/scheduler/turns.ts";

/** Keeps this thread busy: a step of some work. */
function spend(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function run(turns: Turns, steps: Iterator<unknown, void>): Promise<void> {
  return new Promise((resolve, reject) => {
    function* work() {
      while (!steps.next().done) yield;
      resolve();
    }
    turns.run(work(), reject);
  });
}

test("short work is done at once", () => {
  const turns = new Turns();
  let done = 0;
  function* work() {
    yield;
    done += 1;
  }
  for (let i = 0; i < 10; i++) turns.run(work(), () => {});
  expect(done).toBe(10);
});

test("between slices of long work, the event loop has its turns", async () => {
  const turns = new Turns();
  let steps = 0;
  function* work() {
    for (; steps < 60; steps++) {
      spend(0.5);
      yield;
    }
  }
  const seen: number[] = [];
  const timer = setInterval(() => seen.push(steps), 0);
  await run(turns, work());
  clearInterval(timer);
  expect(steps).toBe(60);
  // It came back many times, and no step was done twice or left out.
  expect(seen.length).toBeGreaterThan(5);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
});

test("long work takes turns with what comes later", async () => {
  const turns = new Turns();
  const order: string[] = [];
  function* work(name: string, steps: number) {
    for (let i = 0; i < steps; i++) {
      spend(1);
      yield;
    }
    order.push(name);
  }
  await Promise.all([
    run(turns, work("long", 40)),
    run(turns, work("short", 2)),
    run(turns, work("shorter", 1)),
  ]);
  expect(order.at(-1)).toBe("long");
});

test("what fails says so, and the others go on", async () => {
  const turns = new Turns();
  const reason = new Error("no");
  function* failing(): Generator<undefined, void> {
    yield;
    throw reason;
  }
  function* working() {
    for (let i = 0; i < 5; i++) yield spend(1);
  }
  const failed = Promise.withResolvers<unknown>();
  const good = run(turns, working());
  turns.run(failing(), failed.resolve);
  expect(await failed.promise).toBe(reason);
  await good;
});

test("what is not wanted any more goes no further", async () => {
  const turns = new Turns();
  let steps = 0;
  let isWanted = true;
  function* endless(): Generator<undefined, void> {
    for (;;) {
      steps += 1;
      spend(0.5);
      yield;
    }
  }
  turns.run(
    endless(),
    () => {},
    () => isWanted,
  );
  isWanted = false;
  const before = steps;
  await run(turns, [][Symbol.iterator]());
  expect(before).toBeGreaterThan(0);
  expect(steps).toBe(before);
});

test("finish gives what the steps give, or the reason why not", async () => {
  const turns = new Turns();
  const reason = new Error("no");
  const { signal } = new AbortController();
  function* giving() {
    for (let i = 0; i < 5; i++) yield spend(1);
    return 7;
  }
  function* failing(): Generator<undefined, number> {
    yield;
    throw reason;
  }
  expect(await turns.finish(giving())).toBe(7);
  expect(await turns.finish(giving(), signal)).toBe(7);
  expect(turns.finish(failing())).rejects.toBe(reason);
  const controller = new AbortController();
  let steps = 0;
  function* endless(): Generator<undefined, number> {
    for (;;) {
      steps += 1;
      spend(0.5);
      yield;
    }
  }
  const aborted = turns.finish(endless(), controller.signal);
  controller.abort(reason);
  const before = steps;
  expect(aborted).rejects.toBe(reason);
  expect(await turns.finish(giving())).toBe(7);
  expect(steps).toBe(before);
});
