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
