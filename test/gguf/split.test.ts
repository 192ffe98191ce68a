import { expect, test } from "bun:test";
import { basename, join } from "node:path";
import { sha256OfFile } from "../../src/download/sha256.ts";
import { freshFolder } from "../fresh-folder.ts";
import { writeSample } from "../quantize/sample.ts";
import { splitModel } from "./split.ts";

/* Shards of llama.cpp's own tool: `scripts/split-reference.ts` made them, and read them. */
const FIXTURE: Readonly<Record<string, string>> = await Bun.file(
  join(import.meta.dir, "../fixtures/split.json"),
).json();

const folder = freshFolder();

test.each([
  ["ten", [10, 10, 10, 3]],
  ["empty", [0, 20, 13]],
])("our tests split as llama.cpp does: %s", async (name, sizes) => {
  const sample = join(folder.path, "sample.gguf");
  await writeSample(sample);
  const paths = await splitModel(sample, join(folder.path, name), sizes);
  const found: [string, string][] = [];
  for (const path of paths) found.push([basename(path), await sha256OfFile(path)]);
  expect(found).toEqual(Object.entries(FIXTURE).filter(([file]) => file.startsWith(name)));
});
