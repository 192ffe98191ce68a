import { expect, test } from "bun:test";
import { join } from "node:path";
import { QUANTIZE_TYPES, type QuantizeType, quantize } from "../../src/index.ts";
import { freshFolder } from "../fresh-folder.ts";
import { writeSample } from "./sample.ts";

/*
 * What `scripts/quantize-reference.ts` found: the digest of our file, and of every tensor the
 * format that llama.cpp's own tool gave it and, by gguf-py's reading of both files, our squared
 * error and llama.cpp's. A file of that digest has those errors.
 */
type Row = readonly [name: string, type: string, ours?: number, theirs?: number];
interface Fixture {
  readonly type: QuantizeType;
  readonly digest: string;
  readonly tensors: readonly Row[];
}

const text = await Bun.file(join(import.meta.dir, "../fixtures/quantize.jsonl")).text();
const fixtures: Fixture[] = text
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const folder = freshFolder();

test.each(QUANTIZE_TYPES)("%s: llama.cpp's formats, with no larger errors", async (type) => {
  const sample = join(folder.path, "sample.gguf");
  const path = join(folder.path, "quantized.gguf");
  await writeSample(sample);
  const { tensors } = await quantize(sample, path, { type });
  const { digest, tensors: rows } = fixtures.find((fixture) => fixture.type === type)!;
  expect(tensors.map(({ name, to }) => [name, to])).toEqual(rows.map(([name, to]) => [name, to]));
  const bytes = await Bun.file(path).bytes();
  expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(digest);
  for (const [name, , ours, theirs] of rows) {
    if (ours === undefined || theirs === undefined) continue;
    expect([name, ours <= theirs]).toEqual([name, true]);
  }
});
