import { expect, test } from "bun:test";
import { architectureNames, buildModel } from "../../src/arch/index.ts";
import { string } from "../../src/gguf/values.ts";
import { thrown } from "../gguf/rejection.ts";
import { edit } from "./edit.ts";
import { tinyHeader } from "./tiny-file.ts";

test("an unknown architecture is named, and so are those that run", async () => {
  const file = await tinyHeader({ architecture: "bert", type: "F16" });
  const llama = edit(file, { metadata: { "general.architecture": string("llama") } });
  const error = thrown(() => buildModel(llama));
  expect(error.code).toBe("UNSUPPORTED");
  expect(error.message).toContain(`${file.path}: the architecture is "llama"`);
  for (const name of architectureNames) expect(error.message).toContain(name);
  expect(architectureNames).toContain("bert");
  expect(architectureNames).toContain("gemma-embedding");
});

test.each([
  ["qwen2", "qwen3"],
  ["nomic-bert-moe", "nomic-bert"],
  ["modern-bert", "bert"],
  ["jina-bert-v2", "bert"],
  ["eurobert", "bert"],
  ["gemma3", "gemma-embedding"],
  ["Qwen3", "qwen3"],
])("for %s the nearest is %s", async (name, near) => {
  const file = await tinyHeader({ architecture: "bert", type: "F16" });
  const other = edit(file, { metadata: { "general.architecture": string(name) } });
  expect(thrown(() => buildModel(other)).message).toContain(`, of which ${near} is the nearest.`);
});

test("where none is near, none is named so", async () => {
  const file = await tinyHeader({ architecture: "bert", type: "F16" });
  const mamba = edit(file, { metadata: { "general.architecture": string("mamba") } });
  expect(thrown(() => buildModel(mamba)).message).not.toContain("nearest");
});

test("a file that names no architecture is refused", async () => {
  const file = await tinyHeader({ architecture: "bert", type: "F16" });
  const nameless = edit(file, { metadata: { "general.architecture": undefined } });
  expect(thrown(() => buildModel(nameless)).message).toContain('"general.architecture" is missing');
});

test("a file with a vocabulary alone is told apart from a broken one", async () => {
  const file = await tinyHeader({ architecture: "bert", type: "F16" });
  const error = thrown(() => buildModel({ ...file, tensors: new Map() }));
  expect(error.code).toBe("BAD_MODEL");
  expect(error.message).toContain("no tensors at all, only a vocabulary");
});

test("the weight type is that of most elements", async () => {
  const file = await tinyHeader({ architecture: "bert", type: "Q8_0" });
  // One matrix of many in another type does not count.
  const mixed = edit(file, { tensors: { "blk.0.attn_q.weight": { type: "F32" } } });
  expect(buildModel(mixed).config.weightType).toBe("Q8_0");
  const floats = await tinyHeader({ architecture: "bert", type: "BF16" });
  expect(buildModel(floats).config.weightType).toBe("BF16");
});
