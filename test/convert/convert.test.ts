import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { convertFolder } from "../../src/convert/index.ts";
import type { WriteProgress } from "../../src/index.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { ENCODED_TYPES, encode } from "../reference/encode.ts";
import { squaredError } from "../reference/squared-error.ts";
import { bertFolder, PIECES, SIZES, writeFolder } from "./bert-folder.ts";
import { convert, found } from "./converted.ts";

/** Which tensor of the checkpoint becomes which of the file, in the order of the file. */
const LAYER = "encoder.layer.0";
const NAMES = [
  ["position_embd.weight", "embeddings.position_embeddings.weight"],
  ["token_embd.weight", "embeddings.word_embeddings.weight"],
  ["token_embd_norm.bias", "embeddings.LayerNorm.bias"],
  ["token_embd_norm.weight", "embeddings.LayerNorm.weight"],
  ["token_types.weight", "embeddings.token_type_embeddings.weight"],
  ["blk.0.attn_k.bias", `${LAYER}.attention.self.key.bias`],
  ["blk.0.attn_k.weight", `${LAYER}.attention.self.key.weight`],
  ["blk.0.attn_output.bias", `${LAYER}.attention.output.dense.bias`],
  ["blk.0.attn_output.weight", `${LAYER}.attention.output.dense.weight`],
  ["blk.0.attn_output_norm.bias", `${LAYER}.attention.output.LayerNorm.bias`],
  ["blk.0.attn_output_norm.weight", `${LAYER}.attention.output.LayerNorm.weight`],
  ["blk.0.attn_q.bias", `${LAYER}.attention.self.query.bias`],
  ["blk.0.attn_q.weight", `${LAYER}.attention.self.query.weight`],
  ["blk.0.attn_v.bias", `${LAYER}.attention.self.value.bias`],
  ["blk.0.attn_v.weight", `${LAYER}.attention.self.value.weight`],
  ["blk.0.ffn_down.bias", `${LAYER}.output.dense.bias`],
  ["blk.0.ffn_down.weight", `${LAYER}.output.dense.weight`],
  ["blk.0.ffn_up.bias", `${LAYER}.intermediate.dense.bias`],
  ["blk.0.ffn_up.weight", `${LAYER}.intermediate.dense.weight`],
  ["blk.0.layer_output_norm.bias", `${LAYER}.output.LayerNorm.bias`],
  ["blk.0.layer_output_norm.weight", `${LAYER}.output.LayerNorm.weight`],
] as const;

const isMatrix = (name: string) =>
  /^(token_embd|blk\.0\.(attn_[kqv]|attn_output|ffn_\w+))\.weight$/.test(name);

test.each(ENCODED_TYPES)("%s: matrices in that type, the rest in F32", async (type) => {
  const folder = bertFolder();
  const converted = await convert(folder, { type });
  expect([...converted.file.tensors.keys()]).toEqual(NAMES.map(([name]) => name));
  for (const [name, source] of NAMES) {
    const { shape, bytes } = folder.tensors[source]!;
    const info = converted.file.tensors.get(name)!;
    const expectedType = isMatrix(name) ? type : "F32";
    expect(info.type).toBe(expectedType);
    expect(info.shape).toEqual(shape.toReversed());
    const values = new Float32Array(bytes.buffer as ArrayBuffer);
    const plain = encode(expectedType, values)!;
    if (expectedType !== "Q8_0") {
      expect(converted.tensor(name)).toEqual(plain);
    } else {
      const bound = squaredError("Q8_0", plain, values);
      expect(squaredError("Q8_0", converted.tensor(name), values)).toBeLessThanOrEqual(bound);
    }
  }
  const fileTypes = { F32: 0, F16: 1, Q8_0: 7, BF16: 32 };
  expect(found(converted, "general.file_type")).toEqual(["uint32", fileTypes[type]]);
});

test("the metadata are those of llama.cpp's converter", async () => {
  const { metadata } = await convert(bertFolder());
  expect(metadata).toEqual([
    ["general.architecture", ["string", "bert"]],
    ["general.type", ["string", "model"]],
    ["general.name", ["string", "my-model"]],
    ["bert.block_count", ["uint32", 1]],
    ["bert.context_length", ["uint32", 16]],
    ["bert.embedding_length", ["uint32", 32]],
    ["bert.feed_forward_length", ["uint32", 64]],
    ["bert.attention.head_count", ["uint32", 2]],
    ["bert.attention.layer_norm_epsilon", ["float32", Math.fround(1e-12)]],
    ["bert.attention.causal", ["bool", false]],
    ["bert.pooling_type", ["uint32", 1]],
    ["tokenizer.ggml.token_type_count", ["uint32", 2]],
    ["tokenizer.ggml.model", ["string", "bert"]],
    [
      "tokenizer.ggml.tokens",
      ["array", ["string", [...PIECES.slice(0, 5), "▁sun", "▁moon", "s", "▁ö"]]],
    ],
    ["tokenizer.ggml.token_type", ["array", ["int32", [3, 3, 3, 3, 3, 1, 1, 1, 1]]]],
    ["tokenizer.ggml.bos_token_id", ["uint32", 2]],
    ["tokenizer.ggml.eos_token_id", ["uint32", 3]],
    ["tokenizer.ggml.unknown_token_id", ["uint32", 1]],
    ["tokenizer.ggml.seperator_token_id", ["uint32", 3]],
    ["tokenizer.ggml.padding_token_id", ["uint32", 0]],
    ["tokenizer.ggml.mask_token_id", ["uint32", 4]],
    ["tokenizer.ggml.add_bos_token", ["bool", true]],
    ["tokenizer.ggml.add_eos_token", ["bool", true]],
    ["tokenizer.ggml.add_sep_token", ["bool", false]],
    ["tokenizer.ggml.normalizer.lowercase", ["bool", true]],
    ["general.quantization_version", ["uint32", 2]],
    ["general.file_type", ["uint32", 7]],
  ]);
});

describe("the same file comes from", () => {
  test("vocab.txt alone", async () => {
    const folder = bertFolder();
    const expected = await convert(folder);
    folder.files["tokenizer.json"] = undefined;
    expect((await convert(folder)).bytes).toEqual(expected.bytes);
  });

  test("tensors under the model's name, with other heads than ours beside them", async () => {
    const folder = bertFolder();
    const expected = await convert(folder);
    const prefixed = Object.entries(folder.tensors).map(([name, value]) => [`bert.${name}`, value]);
    const head = { "cls.predictions.bias": folder.tensors["pooler.dense.bias"]! };
    const tensors = { ...Object.fromEntries(prefixed), ...head };
    expect((await convert({ ...folder, tensors })).bytes).toEqual(expected.bytes);
  });
});

test("tables longer than a job, with more rows than there are pieces", async () => {
  const vocab = 300_000;
  const folder = bertFolder({ ...SIZES, vocab });
  const converted = await convert(folder, { type: "BF16" });
  const source = folder.tensors["embeddings.word_embeddings.weight"]!;
  const expected = encode("BF16", new Float32Array(source.bytes.buffer as ArrayBuffer))!;
  expect(Bun.hash(converted.tensor("token_embd.weight"))).toBe(Bun.hash(expected));
  const { metadata } = converted.file;
  const tokens = metadata.requireStrings("tokenizer.ggml.tokens");
  expect(tokens.length).toBe(vocab);
  const last = tokens.bytes.subarray(tokens.starts[vocab - 1], tokens.ends[vocab - 1]);
  expect(new TextDecoder().decode(last)).toBe("[PAD299999]");
  expect(metadata.getNumbers("tokenizer.ggml.token_type")!.values[vocab - 1]).toBe(5);
});

test("rows that are not whole blocks become F16", async () => {
  const { file } = await convert(bertFolder({ ...SIZES, hidden: 48 }));
  expect(file.tensors.get("blk.0.attn_q.weight")!.type).toBe("F16");
  expect(file.tensors.get("blk.0.ffn_down.weight")!.type).toBe("Q8_0");
});

test.each<[object, number]>([
  [{ pooling_mode_mean_tokens: true, pooling_mode_cls_token: false }, 1],
  [{ pooling_mode_cls_token: true, include_prompt: true }, 2],
  [{ pooling_mode_lasttoken: true }, 3],
  [{ pooling_mode: "cls" }, 2],
  [{ pooling_mode: ["mean"] }, 1],
])("pooling %j", async (settings, expected) => {
  const folder = bertFolder();
  folder.files["1_Pooling/config.json"] = settings;
  expect(found(await convert(folder), "bert.pooling_type")).toEqual(["uint32", expected]);
});

test("a folder without modules.json says nothing about pooling", async () => {
  const folder = bertFolder();
  folder.files["modules.json"] = undefined;
  expect(found(await convert(folder), "bert.pooling_type")).toBeUndefined();
});

test.each([
  [{ lowercase: false }, false, undefined],
  [{ lowercase: false, strip_accents: true }, false, true],
  [{ lowercase: true, strip_accents: false }, true, false],
])("normaliser %j", async (normalizer, lowercase, accents) => {
  const folder = bertFolder();
  const tokenizer = folder.files["tokenizer.json"] as object;
  folder.files["tokenizer.json"] = { ...tokenizer, normalizer };
  const converted = await convert(folder);
  const key = "tokenizer.ggml.normalizer";
  expect(found(converted, `${key}.lowercase`)).toEqual(["bool", lowercase]);
  const expected = accents === undefined ? undefined : ["bool", accents];
  expect(found(converted, `${key}.strip_accents`)).toEqual(expected);
});

test("name, card and prompts are carried over", async () => {
  const folder = bertFolder();
  folder.files["README.md"] =
    "---\nlicense: mit\nlanguage: [en, de]\ntags:\n- feature-extraction\n---\n# A model";
  folder.files["config_sentence_transformers.json"] = {
    prompts: { query: "find: ", document: "" },
  };
  const converted = await convert(folder, { name: "Sun and Moon" });
  expect(found(converted, "general.name")).toEqual(["string", "Sun and Moon"]);
  expect(found(converted, "general.license")).toEqual(["string", "mit"]);
  expect(found(converted, "general.languages")).toEqual(["array", ["string", ["en", "de"]]]);
  expect(found(converted, "general.tags")).toEqual(["array", ["string", ["feature-extraction"]]]);
  expect(found(converted, "ggufembed.prompt.query")).toEqual(["string", "find: "]);
  expect(found(converted, "ggufembed.prompt.document")).toBeUndefined();
});

test("a card that is not YAML is no reason to fail", async () => {
  const folder = bertFolder();
  folder.files["README.md"] = "---\nlicense: [\n---\n";
  expect(found(await convert(folder), "general.license")).toBeUndefined();
});

test("progress ends with the size of the file, and nothing else is left beside it", async () => {
  await using temporary = await temporaryFolder();
  const directory = await writeFolder(bertFolder(), join(temporary.path, "my-model"));
  const seen: WriteProgress[] = [];
  const onProgress = (progress: WriteProgress) => seen.push(progress);
  const path = join(temporary.path, "out.gguf");
  await convertFolder(directory, path, { onProgress });
  const { size } = Bun.file(path);
  expect(seen.at(-1)).toEqual({ written: size, total: size });
  expect((await readdir(temporary.path)).sort()).toEqual(["my-model", "out.gguf"]);
});
