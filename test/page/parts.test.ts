import { expect, test } from "bun:test";
import { makePageParts, PAGE_PARTS } from "../../scripts/page.ts";

const BYTES_MAX = 48_000;

test("the page that is served is the one of src/page/: else `bun run page`", async () => {
  const made = await makePageParts();
  expect(await Bun.file(PAGE_PARTS).text()).toBe(made);
  expect(made.length).toBeLessThan(BYTES_MAX);
});
