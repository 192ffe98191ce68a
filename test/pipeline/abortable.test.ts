import { expect, test } from "bun:test";
import { abortable } from "../../src/pipeline/abortable.ts";

const REASON = new Error("enough");

test("gives what the promise gives, and its failure", async () => {
  const { signal } = new AbortController();
  expect(await abortable(Promise.resolve(1), signal)).toBe(1);
  expect(await abortable(Promise.resolve(2), undefined)).toBe(2);
  expect(abortable(Promise.reject(REASON), signal)).rejects.toBe(REASON);
});

for (const when of ["before", "meanwhile"] as const) {
  test(`rejects with the reason of a signal that aborted ${when}`, async () => {
    const controller = new AbortController();
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    try {
      const { promise, reject } = Promise.withResolvers<never>();
      if (when === "before") controller.abort(REASON);
      const result = abortable(promise, controller.signal);
      controller.abort(REASON);
      expect(result).rejects.toBe(REASON);
      // What nobody waits for any more may fail.
      reject(new Error("too late"));
      await Bun.sleep(5);
    } finally {
      process.off("unhandledRejection", listen);
    }
    expect(unhandled).toEqual([]);
  });
}
