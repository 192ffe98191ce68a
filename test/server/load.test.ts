import { expect, test } from "bun:test";
import { Load } from "../../src/server/load.ts";

test("refuses what would take more than half of the deadline, and says when to come again", () => {
  const load = new Load(10_000);
  expect(load.refusal(0)).toBeUndefined();
  expect(load.refusal(5000)).toBeUndefined();
  expect(load.refusal(5001)).toBe(6);
});

test("learns how much longer requests take than expected, and forgets it", () => {
  const load = new Load(10_000);
  for (let i = 0; i < 200; i++) load.observe(1000, 3000);
  expect(load.refusal(1500)).toBeUndefined();
  expect(load.refusal(1700)).toBe(6);
  for (let i = 0; i < 200; i++) load.observe(0, 5);
  expect(load.refusal(4900)).toBeUndefined();
});
