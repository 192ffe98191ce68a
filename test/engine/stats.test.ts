import { expect, test } from "bun:test";
import { nativeInfo } from "../../src/native/system.ts";
import { failure } from "../failure.ts";
import { batchOf, loadNative, seededTexts } from "./run-native.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel();

test("a native model tells what it takes, while it is loaded", async () => {
  const file = model.file!;
  const engine = await loadNative(file, { threads: 2 });
  const fresh = engine.stats();
  expect(fresh.variant).toBe((await nativeInfo()).variant!);
  expect(fresh.threads).toBe(2);
  expect(fresh.sharers).toBe(1);
  const matrices = [...file.tensors.values()].filter(({ name }) => name.startsWith("blk."));
  const bytes = matrices.reduce((total, { byteLength }) => total + byteLength, 0);
  expect(fresh.weightBytes).toBeGreaterThan(bytes / 2);
  expect(fresh.weightBytes).toBeLessThan(bytes * 4);

  await engine.embed(batchOf(file, seededTexts(64, [30, 40])));
  const used = engine.stats();
  expect(used.workspaceBytes).toBeGreaterThan(fresh.workspaceBytes);
  expect({ ...used, workspaceBytes: fresh.workspaceBytes }).toEqual(fresh);
  await engine.unload();
  const error = await failure(async () => engine.stats());
  expect(error.message).toContain("stale_handle");
});
