import { describe, expect, test } from "bun:test";
import { chooseFile, firstChoice, quantizationOf } from "../../src/hub/choose.ts";
import { failure } from "../failure.ts";

const shard = (name: string, number: number) => `${name}-Q8_0-0000${number}-of-00002.gguf`;

describe("without a tag", () => {
  test.each([
    [["m-F32.gguf", "m-BF16.gguf", "m-F16.gguf", "m-Q8_0.gguf", "m-Q4_0.gguf"], "m-Q8_0.gguf"],
    [["m-f32.gguf", "m-bf16.gguf", "m-f16.gguf", "m-q4_0.gguf"], "m-f16.gguf"],
    [["m-f32.gguf", "m-bf16.gguf"], "m-bf16.gguf"],
    [["m-q4_k_m.gguf", "m_fp32.gguf"], "m_fp32.gguf"],
    [["m-Q4_K_M.gguf", "m-Q6_K.gguf", "m-Q5_K_M.gguf"], "m-Q6_K.gguf"],
    [["m-Q4_0.gguf", "m-Q4_K_S.gguf", "m-IQ4_XS.gguf", "m-Q2_K.gguf"], "m-Q4_K_S.gguf"],
    [["m-Q3_K_M.gguf", "m-Q2_K.gguf", "m-IQ1_S.gguf"], "m-Q3_K_M.gguf"],
    [["README.md", "gguf/whatever.gguf"], "gguf/whatever.gguf"],
    [["m.Q8_0.gguf", "mmproj-m-Q8_0.gguf", "imatrix.gguf"], "m.Q8_0.gguf"],
    [["m-q8_0.gguf", "m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"], "m-q8_0.gguf"],
    [["m-Q8_0-00002-of-00002.gguf", "m-Q8_0-00001-of-00002.gguf", "m-F16.gguf"], shard("m", 1)],
    [["m-Q8_0-00002-of-00002.gguf", "m-F16.gguf"], "m-F16.gguf"],
    [["q/m-00001-of-00002.gguf", "q/m-00002-of-00002.gguf"], "q/m-00001-of-00002.gguf"],
  ])("of %j", (files, expected) => {
    expect(chooseFile(files, undefined, "org/repo")).toBe(expected);
    expect(chooseFile(files.toReversed(), undefined, "org/repo")).toBe(expected);
  });
});

test.each([
  ["Q4_K_M", "m-q4_k_m.gguf"],
  ["f16", "m_fp16.gguf"],
  ["BF16", "m-BF16.gguf"],
  ["UD-Q4_K_XL", "m-UD-Q4_K_XL.gguf"],
  ["Q8_0", "s/m-Q8_0-00001-of-00002.gguf"],
])("the tag %s", (tag, expected) => {
  const shards = [shard("s/m", 1), shard("s/m", 2)];
  const others = ["m-q4_k_m.gguf", "m_fp16.gguf", "m-BF16.gguf", "m-UD-Q4_K_XL.gguf", "q.gguf"];
  const files = [...shards, ...others];
  expect(chooseFile(files, tag, "org/repo")).toBe(expected);
});

describe("refuses, and says what there is:", () => {
  test.each([
    [["a-Q8_0.gguf", "b-Q8_0.gguf"], undefined, "more than one file would do; name one of org/re"],
    [["a.gguf", "b.gguf"], undefined, "more than one file would do; name one of org/repo/a.gguf, "],
    [["a-Q8_0.gguf"], "F16", "none is named for F16; name one of org/repo/a-Q8_0.gguf"],
    [["aF16.gguf"], "F16", "none is named for F16; "],
    [["README.md", "model.safetensors"], undefined, "there is no .gguf file in it"],
  ])("%j, tag %s", async (files, tag, message) => {
    const error = await failure(() => chooseFile(files, tag, "org/repo"));
    expect(error.code).toBe("NO_SUCH_MODEL");
    expect(error.message).toStartWith(`org/repo: ${message}`);
  });

  test("twenty files, and how many more", async () => {
    const files = Array.from({ length: 25 }, (_, i) => `m${i}.gguf`);
    const error = await failure(() => chooseFile(files, undefined, "org/repo"));
    expect(error.message).toEndWith("org/repo/m19.gguf and 5 more");
  });

  test("a split model that is not all there", async () => {
    const files = [shard("m", 2), "n-F16.gguf"];
    const error = await failure(() => chooseFile(files, "Q8_0", "org/repo"));
    expect(error.code).toBe("NO_SUCH_MODEL");
    expect(error.message).toBe(
      `org/repo/${shard("m", 2)}: the model is split, and the repository lacks ${shard("m", 1)}`,
    );
  });

  test("two split models, each by its first shard", async () => {
    const files = [shard("a", 1), shard("a", 2), shard("b", 1), shard("b", 2)];
    const error = await failure(() => chooseFile(files, undefined, "org/repo"));
    expect(error.message).toEndWith(
      `name one of org/repo/${shard("a", 1)}, org/repo/${shard("b", 1)}`,
    );
  });
});

test("the first choice is Q8_0, if it is one file", () => {
  expect(firstChoice(["m-f16.gguf", "m-q8_0.gguf"])).toBe("m-q8_0.gguf");
  expect(firstChoice(["m-f16.gguf"])).toBeUndefined();
  expect(firstChoice(["a-q8_0.gguf", "b-q8_0.gguf"])).toBeUndefined();
});

test.each([
  ["model-q8_0.gguf", "Q8_0"],
  ["a.IQ4_XS.gguf", "IQ4_XS"],
  ["a_fp16.gguf", "F16"],
  ["bf16/bf16.gguf", "BF16"],
  ["m-Q4_K_M-00001-of-00002.gguf", "Q4_K_M"],
  ["model.gguf", undefined],
])("the name of %s tells %s", (file, expected) => {
  expect(quantizationOf(file)).toBe(expected);
});
