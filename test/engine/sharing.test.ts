import { expect, test } from "bun:test";
import { copyFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GGML_TYPES } from "../../src/gguf/types.ts";
import type { NativeEngine } from "../../src/native/engine.ts";
import { batchOf, bitsOf, loadNative, seededTexts } from "./run-native.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel();
const TEXTS = seededTexts(60, [3, 17, 40]);

/** A file is shared once it is old enough that its next change will show. */
async function ageOf(path: string): Promise<void> {
  const changed = (await Bun.file(path).stat()).ctimeMs;
  while (Date.now() - changed < 50) await Bun.sleep(5);
}

async function bits(engine: NativeEngine): Promise<string[]> {
  return bitsOf([await engine.embed(batchOf(model.file!, TEXTS))]);
}

test("engines of one file share their weights, and close one by one", async () => {
  await ageOf(model.path);
  const file = model.file!;
  const settings = [
    { threads: 1 },
    { threads: 3, parallelism: "matmul" },
    { threads: 2, precision: "high" },
  ] as const;
  const engines = await Promise.all(settings.map((options) => loadNative(file, options)));
  for (const engine of engines) expect(engine.stats().sharers).toBe(3);
  const [one, two, high] = engines as [NativeEngine, NativeEngine, NativeEngine];
  const expected = await bits(one);
  expect(await bits(two)).toEqual(expected);
  expect(await bits(high)).not.toEqual(expected);
  await one.unload();
  expect(two.stats().sharers).toBe(2);
  expect(await bits(two)).toEqual(expected);
  await high.unload();
  expect(two.stats().sharers).toBe(1);
  expect(await bits(two)).toEqual(expected);
  await two.unload();
});

test("a load that is aborted leaves those it shared with whole", async () => {
  await ageOf(model.path);
  const engine = await loadNative(model.file!);
  const expected = await bits(engine);
  for (let round = 0; round < 20; round++) {
    const controller = new AbortController();
    const second = loadNative(model.file!, {}, controller.signal);
    const rejected = second.then(
      (loaded) => loaded.unload(),
      () => {},
    );
    if (round % 2 === 1) await Bun.sleep(0);
    controller.abort();
    await rejected;
  }
  expect(await bits(engine)).toEqual(expected);
  // What is left of an aborted load goes behind this batch at the latest.
  await bits(engine);
  expect(engine.stats().sharers).toBe(1);
  await engine.unload();
});

test("a file that was replaced is another one, and the old goes on", async () => {
  const file = model.file!;
  const path = join(model.folder, "replaced.gguf");
  copyFileSync(model.path, path);
  await ageOf(path);
  const old = await loadNative(file, { paths: [path] });
  const expected = await bits(old);

  const next = join(model.folder, "next.gguf");
  const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
  const { offset, byteLength, type } = file.tensors.get("blk.0.attn_norm.weight")!;
  expect(GGML_TYPES[type]).toBe(GGML_TYPES.F32);
  new Float32Array(bytes.buffer, offset, byteLength / 4).fill(0.5);
  writeFileSync(next, bytes);
  renameSync(next, path);
  await ageOf(path);
  const fresh = await loadNative(file, { paths: [path] });
  expect(fresh.stats().sharers).toBe(1);
  expect(await bits(fresh)).not.toEqual(expected);
  expect(await bits(old)).toEqual(expected);
  await Promise.all([old.unload(), fresh.unload()]);
});
