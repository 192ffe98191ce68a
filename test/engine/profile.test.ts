import { afterEach, expect, test } from "bun:test";
import { buildModel } from "../../src/arch/index.ts";
import { open } from "../../src/index.ts";
import { profileRuns, type RunProfile } from "../../src/native/profile.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel();
afterEach(() => profileRuns(undefined));

test("a listener hears of every batch, either way, and vectors stay what they were", async () => {
  await using embedder = await open(model.path, { threads: 2, parallelism: "matmul" });
  const texts = ["one", "two words", "three more words"];
  const plain = await embedder.embed(texts);
  const heard: RunProfile[] = [];
  profileRuns((profile) => heard.push(profile));
  expect(await embedder.embed(texts)).toEqual(plain);
  expect(embedder.embedSync(texts)).toEqual(plain);
  profileRuns(undefined);
  await embedder.embed(texts);

  const { operations } = buildModel(model.file!).plan;
  expect(heard.length).toBe(2);
  for (const { lengths, runNanoseconds, cells } of heard) {
    expect([...lengths].sort()).toEqual(plain.map(({ tokens }) => tokens).sort());
    expect(cells.length).toBe(2 * operations.length * 2);
    for (const own of [cells.subarray(0, cells.length / 2), cells.subarray(cells.length / 2)]) {
      const total = own.reduce((sum, nanoseconds) => sum + nanoseconds, 0);
      expect(total).toBeGreaterThan(0);
      expect(total).toBeLessThanOrEqual(runNanoseconds);
    }
  }
});
