import { expect, test } from "bun:test";
import { join } from "node:path";
import { readGguf } from "../../src/gguf/reader.ts";
import { freshFolder } from "../fresh-folder.ts";
import { writeSample } from "../quantize/sample.ts";
import { cli } from "./run-cli.ts";

const folder = freshFolder();
const at = (name: string) => join(folder.path, name);
const quantize = (...args: readonly string[]) => cli(["quantize", ...args], { cwd: folder.path });

test("says what became of the tensors, and which rows do not fit", async () => {
  await writeSample(at("in.gguf"));
  const { code, stdout, stderr } = await quantize("in.gguf", "out.gguf", "--type", "q4_k_s");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^22 tensors\s+F32 to Q4_K$/m);
  expect(stdout).toMatch(/^1 tensor\s+F32 to Q5_0: 96 columns are not made of blocks of Q4_K$/m);
  expect(stdout).toMatch(/^1 tensor\s+F32 to F16: 80 columns are not made of blocks of Q4_K$/m);
  const { size } = Bun.file(at("out.gguf"));
  expect(stdout).toContain(`${(size / 1e6).toFixed(1)} MB`);
  expect((await readGguf(at("out.gguf"))).metadata.getNumber("general.file_type")).toBe(14);
});

test("warns of weights that are quantised twice", async () => {
  await writeSample(at("in.gguf"));
  await quantize("in.gguf", "q8.gguf", "--type", "Q8_0");
  const refused = await quantize("q8.gguf", "q4.gguf", "--type", "Q4_0");
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("requantize")]);
  const allowed = await quantize("q8.gguf", "q4.gguf", "--type", "Q4_0", "--requantize");
  expect([allowed.code, allowed.stderr]).toEqual([0, expect.stringContaining("warning: weights")]);
});

test.each([
  [["in.gguf"], "two files, found 1"],
  [["in.gguf", "out.gguf", "more.gguf", "--type", "Q4_0"], "two files, found 3"],
  [["in.gguf", "out.gguf"], "give --type, one of F32, F16"],
  [["in.gguf", "out.gguf", "--type", "Q4_L"], "takes one of F32, F16"],
  [["in.gguf", "in.gguf", "--type", "Q4_0"], "this is the file that is read"],
])("%j is wrong", async (args, what) => {
  await writeSample(at("in.gguf"));
  const { code, stdout, stderr } = await quantize(...args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(what);
});

test("a file that is not there", async () => {
  const { code, stderr } = await quantize("none.gguf", "out.gguf", "--type", "Q4_0");
  expect([code, stderr]).toEqual([1, expect.stringContaining("there is no such file")]);
});
