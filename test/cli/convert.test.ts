import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "../../src/index.ts";
import { type BertFolder, bertFolder, SIZES, writeFolder } from "../convert/bert-folder.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { cli } from "./run-cli.ts";

async function convert(folder: BertFolder, ...args: string[]) {
  const temporary = await temporaryFolder();
  await writeFolder(folder, join(temporary.path, "my-model"));
  const outcome = await cli(["convert", ...args], { cwd: temporary.path });
  return { ...temporary, ...outcome };
}

test("writes the file, prints its path and nothing else", async () => {
  await using done = await convert(bertFolder(), "my-model", "out.gguf", "--name", "Sun");
  expect([done.code, done.stdout, done.stderr]).toEqual([0, "out.gguf\n", ""]);
  const { name, formats, pooling } = await inspect(join(done.path, "out.gguf"));
  expect([name, formats[0]?.type, pooling]).toEqual(["Sun", "Q8_0", "mean"]);
});

test("--type", async () => {
  await using done = await convert(bertFolder(), "my-model", "out.gguf", "--type", "BF16");
  expect(done.code).toBe(0);
  const { name, formats } = await inspect(join(done.path, "out.gguf"));
  expect([name, formats.map(({ type }) => type)]).toEqual(["my-model", ["BF16", "F32"]]);
});

test("--pure and --threads, of a format with a mixture", async () => {
  const folder = bertFolder({ ...SIZES, hidden: 256, ffn: 256 });
  const args = ["my-model", "out.gguf", "--type", "q4_k", "--threads", "1"];
  const formats = async (...more: string[]) => {
    await using done = await convert(folder, ...args, ...more);
    expect([done.code, done.stderr]).toEqual([0, ""]);
    const inspection = await inspect(join(done.path, "out.gguf"));
    return inspection.formats.map(({ type }) => type).sort();
  };
  expect(await formats()).toEqual(["F32", "Q4_K", "Q6_K"]);
  expect(await formats("--pure")).toEqual(["F32", "Q4_K"]);
});

test("what looks wrong in the model is said", async () => {
  const folder = bertFolder();
  folder.files["modules.json"] = undefined;
  await using done = await convert(folder, "my-model", "out.gguf");
  expect([done.code, done.stdout]).toEqual([0, "out.gguf\n"]);
  expect(done.stderr).toStartWith("ggufembed: warning: bert.pooling_type is missing");
});

test("a model of another kind: one line that says so, and no file", async () => {
  const folder = bertFolder();
  folder.files["config.json"] = { architectures: ["ModernBertModel"] };
  await using done = await convert(folder, "my-model", "out.gguf");
  expect([done.code, done.stdout]).toEqual([1, ""]);
  expect(done.stderr).toMatch(/^ggufembed: .*nearest; found "ModernBertModel"\n$/);
  expect(await readdir(done.path)).toEqual(["my-model"]);
});

test.each([
  [[], "takes DIR and OUT.gguf, found 0 arguments"],
  [["my-model"], "found 1 arguments"],
  [["my-model", "a.gguf", "b.gguf"], "found 3 arguments"],
  [["my-model", "out.gguf", "--type", "Q9"], "takes one of F32"],
  [["my-model", "out.gguf", "--type", "Q4_0_K"], "did you mean"],
  [["my-model", "out.gguf", "--threads", "0"], "--threads"],
])("%j: wrong usage", async (args, message) => {
  await using done = await convert(bertFolder(), ...args);
  expect(done.code).toBe(2);
  expect(done.stderr).toContain(message);
});
