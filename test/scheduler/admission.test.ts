import { expect, test } from "bun:test";
import { Admission } from "../../src/scheduler/admission.ts";
import { failure } from "../failure.ts";

test("a call is taken as a whole while there is room, and refused when there is none", async () => {
  const admission = new Admission(10);
  admission.enter(4);
  admission.enter(20);
  const error = await failure(() => admission.enter(1));
  expect(error.code).toBe("QUEUE_FULL");
  expect(error.message).toContain("24 texts wait already, and the limit is 10");
  admission.leave(20);
  admission.enter(1);
  expect(admission.texts).toBe(5);
});

test("who waits for room is told, first come first, while there is some", async () => {
  const admission = new Admission(2);
  admission.enter(2);
  const order: string[] = [];
  const first = admission.room().then(() => order.push("first"));
  const second = admission.room().then(() => order.push("second"));
  await Bun.sleep(1);
  expect(order).toEqual([]);
  admission.leave(1);
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
  await admission.room();
});

test("a limit that is no whole number is refused", async () => {
  for (const limit of [0, -1, 1.5, Number.NaN]) {
    expect((await failure(() => new Admission(limit))).message).toContain("queueLimit");
  }
});
