import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { convertFolder } from "../../src/convert/index.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { rejection } from "../gguf/rejection.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { type BertFolder, writeFolder } from "./bert-folder.ts";
import { type Converted, convert } from "./converted.ts";
import {
  CHARSMAP,
  type Folder,
  GEMMA_PIECES,
  gemmaFolder,
  HIDDEN,
  nomicFolder,
  qwen3Folder,
  XLMR_PIECES,
  xlmRobertaFolder,
} from "./folders.ts";
import type { Tensor } from "./safetensors-file.ts";

const floats = ({ bytes }: Tensor) => new Float32Array(bytes.buffer as ArrayBuffer);
const stored = (converted: Converted, name: string) =>
  new Float32Array(converted.tensor(name).slice().buffer);

type Floats = Float32Array<ArrayBuffer>;

/** Every tensor is in the file, as it was or as `change` makes it, and nothing else is. */
async function expectTensors(
  folder: Folder,
  change: (name: string, values: Floats) => Floats = (_, values) => values,
): Promise<Converted> {
  const converted = await convert(folder, { type: "F32" });
  const expected = new Map<string, Tensor>(Object.entries(folder.dense ?? {}).map(denseName));
  for (const [name, source] of Object.entries(folder.names)) {
    expected.set(name, folder.tensors[source]!);
  }
  expect([...converted.file.tensors.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, tensor] of expected) {
    expect([name, stored(converted, name)]).toEqual([name, change(name, floats(tensor))]);
  }
  return converted;
}

const denseName = ([path, tensor]: [string, Tensor], i: number): [string, Tensor] => {
  expect(path).toBe(`${i + 2}_Dense`);
  return [`dense_${i + 2}.weight`, tensor];
};

/** Metadata whose keys have this prefix, without it. */
function underPrefix(converted: Converted, prefix: string): Record<string, unknown> {
  const entries = converted.metadata as [string, [string, unknown]][];
  const own = entries.filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, [, value]]) => [key.slice(prefix.length), value]));
}

function patch(folder: BertFolder, name: string, changes: object): void {
  folder.files[name] = { ...(folder.files[name] as object), ...changes };
}

test("XLM-RoBERTa: bert with the positions of a text and a Unigram tokenizer", async () => {
  const converted = await expectTensors(xlmRobertaFolder(), (name, values) =>
    name === "position_embd.weight" ? values.slice(2 * HIDDEN) : values,
  );
  expect(converted.file.tensors.get("position_embd.weight")!.shape).toEqual([HIDDEN, 16]);
  expect(underPrefix(converted, "bert.")).toMatchObject({
    context_length: 16,
    pooling_type: 2,
    "attention.causal": false,
  });
  expect(underPrefix(converted, "tokenizer.ggml.")).toEqual({
    token_type_count: 1,
    model: "t5",
    pre: "default",
    tokens: ["string", [...XLMR_PIECES, "[PAD8]"]],
    scores: ["float32", [0, 0, 0, 0, -4, -5, -6, 0, -10_000]],
    token_type: ["int32", [3, 3, 3, 2, 1, 1, 1, 3, 5]],
    add_space_prefix: true,
    remove_extra_whitespaces: true,
    precompiled_charsmap: ["uint8", [...CHARSMAP]],
    bos_token_id: 0,
    eos_token_id: 2,
    unknown_token_id: 3,
    seperator_token_id: 2,
    padding_token_id: 1,
    mask_token_id: 7,
    add_bos_token: true,
    add_eos_token: true,
    add_sep_token: false,
  });
});

test("Qwen3-Embedding: a decoder with byte-level BPE, and the end that a text gets", async () => {
  const folder = qwen3Folder();
  folder.tensors["lm_head.weight"] = folder.tensors["model.embed_tokens.weight"]!;
  const converted = await expectTensors(folder);
  expect(underPrefix(converted, "qwen3.")).toEqual({
    block_count: 1,
    context_length: 128,
    embedding_length: 32,
    feed_forward_length: 64,
    "attention.head_count": 2,
    "attention.head_count_kv": 1,
    "rope.freq_base": 1_000_000,
    "attention.layer_norm_rms_epsilon": Math.fround(1e-6),
    "attention.key_length": 32,
    "attention.value_length": 32,
    pooling_type: 3,
  });
  expect(underPrefix(converted, "tokenizer.ggml.")).toEqual({
    model: "gpt2",
    pre: "qwen2",
    tokens: ["string", ["a", "b", "ab", "abb", "<|endoftext|>", "<|fim|>", "<think>", "[PAD7]"]],
    token_type: ["int32", [1, 1, 1, 1, 3, 3, 4, 5]],
    merges: ["string", ["a b", "ab b"]],
    // What a text ends with, and not what tokenizer_config.json calls its end.
    eos_token_id: 4,
    padding_token_id: 4,
    add_bos_token: false,
    add_eos_token: true,
    add_sep_token: false,
  });
});

test("EmbeddingGemma: norms with their one, windows, dense layers and prompts", async () => {
  const converted = await expectTensors(gemmaFolder(), (name, values) =>
    name.endsWith("norm.weight") ? values.map((value) => value + 1) : values,
  );
  expect(underPrefix(converted, "gemma-embedding.")).toEqual({
    block_count: 1,
    context_length: 128,
    embedding_length: 32,
    feed_forward_length: 64,
    "attention.head_count": 2,
    "attention.head_count_kv": 1,
    "rope.freq_base": 1_000_000,
    "attention.layer_norm_rms_epsilon": Math.fround(1e-6),
    "attention.key_length": 32,
    "attention.value_length": 32,
    "attention.sliding_window": 512,
    "rope.freq_base_swa": 10_000,
    pooling_type: 1,
    dense_2_feat_in: 32,
    dense_2_feat_out: 64,
    dense_3_feat_in: 64,
    dense_3_feat_out: 32,
  });
  expect(underPrefix(converted, "tokenizer.ggml.")).toEqual({
    model: "llama",
    pre: "default",
    tokens: ["string", [...GEMMA_PIECES.slice(0, 8), "  "]],
    scores: ["float32", [-1000, -1000, -1000, 0, 0, -0, -1, -2, -1000]],
    token_type: ["int32", [3, 3, 3, 2, 6, 1, 1, 1, 4]],
    bos_token_id: 2,
    eos_token_id: 1,
    padding_token_id: 0,
    add_bos_token: true,
    add_eos_token: true,
    add_sep_token: false,
    add_space_prefix: false,
  });
  expect(underPrefix(converted, "ggufembed.prompt.")).toEqual({
    query: "task: search result | query: ",
  });
});

describe("nomic-bert", () => {
  test("a gate beside each product, and the context that it was trained for", async () => {
    const converted = await expectTensors(nomicFolder());
    expect(underPrefix(converted, "nomic-bert.")).toEqual({
      block_count: 1,
      context_length: 2048,
      embedding_length: 32,
      feed_forward_length: 64,
      "attention.head_count": 2,
      "rope.freq_base": 1000,
      "attention.layer_norm_epsilon": Math.fround(1e-12),
      "attention.causal": false,
      pooling_type: 1,
    });
  });

  test("settings under the names of transformers give the same file", async () => {
    const expected = await convert(nomicFolder());
    const folder = nomicFolder();
    folder.files["config.json"] = {
      architectures: ["NomicBertModel"],
      hidden_act: "silu",
      hidden_size: HIDDEN,
      intermediate_size: 64,
      layer_norm_eps: 1e-12,
      max_position_embeddings: 2048,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      rope_parameters: { rope_theta: 1000, rope_type: "default" },
      type_vocab_size: 2,
      vocab_size: 7,
    };
    expect((await convert(folder)).bytes).toEqual(expected.bytes);
  });
});

describe("the same file comes from", () => {
  test("rotary bases by the type of layer", async () => {
    const expected = await convert(gemmaFolder());
    const folder = gemmaFolder();
    patch(folder, "config.json", {
      rope_theta: undefined,
      rope_local_base_freq: undefined,
      rope_parameters: {
        full_attention: { rope_type: "default", rope_theta: 1e6 },
        sliding_attention: { rope_type: "default", rope_theta: 1e4 },
      },
    });
    expect((await convert(folder)).bytes).toEqual(expected.bytes);
  });

  test("tensors without the model's name, and merges as strings", async () => {
    const expected = await convert(qwen3Folder());
    const folder = qwen3Folder();
    const { model } = folder.files["tokenizer.json"] as { model: object };
    patch(folder, "tokenizer.json", { model: { ...model, merges: ["a b", "ab b"] } });
    const tensors = Object.fromEntries(
      Object.entries(folder.tensors).map(([name, value]) => [name.replace("model.", ""), value]),
    );
    expect((await convert({ ...folder, tensors })).bytes).toEqual(expected.bytes);
  });

  test("a flag in the place of a template's end", async () => {
    const expected = await convert(gemmaFolder());
    const folder = gemmaFolder();
    const { post_processor } = folder.files["tokenizer.json"] as {
      post_processor: { single: unknown[] };
    };
    const single = post_processor.single.slice(0, -1);
    patch(folder, "tokenizer.json", { post_processor: { ...post_processor, single } });
    patch(folder, "tokenizer_config.json", { add_bos_token: true, add_eos_token: true });
    expect((await convert(folder)).bytes).toEqual(expected.bytes);
  });

  test("a transformer in a folder of its own", async () => {
    const expected = await convert(gemmaFolder());
    await using temporary = await temporaryFolder();
    const { files, tensors, dense } = gemmaFolder();
    const own = ["config.json", "tokenizer.json", "tokenizer_config.json"];
    const isOwn = ([name]: [string, unknown]) => own.includes(name);
    const inner = Object.fromEntries(Object.entries(files).filter(isOwn));
    const outer = Object.fromEntries(Object.entries(files).filter((file) => !isOwn(file)));
    const [first, ...rest] = outer["modules.json"] as object[];
    outer["modules.json"] = [{ ...first, path: "0_Transformer" }, ...rest];
    const directory = join(temporary.path, "my-model");
    await writeFolder({ files: outer, tensors: {}, dense: dense ?? {} }, directory);
    await writeFolder({ files: inner, tensors }, join(directory, "0_Transformer"));
    const path = join(temporary.path, "out.gguf");
    await convertFolder(directory, path);
    const bytes: Uint8Array = await Bun.file(path).bytes();
    expect(bytes).toEqual(expected.bytes);
  });
});

type Refusal = readonly [what: string, folder: BertFolder, code: ErrorCode, message: string];

function changed(folder: Folder, name: string, changes: object): Folder {
  patch(folder, name, changes);
  return folder;
}

const config = (folder: Folder, changes: object) => changed(folder, "config.json", changes);
const tokenizer = (folder: Folder, changes: object) => changed(folder, "tokenizer.json", changes);
const split = (Regex: string) => ({
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex }, behavior: "Isolated" },
    { type: "ByteLevel", add_prefix_space: false, use_regex: false },
  ],
});

const REFUSALS: readonly Refusal[] = [
  [
    "Gemma that looks back only",
    config(gemmaFolder(), { use_bidirectional_attention: false }),
    "UNSUPPORTED",
    "use_bidirectional_attention",
  ],
  [
    "Gemma with another scale",
    config(gemmaFolder(), { query_pre_attn_scalar: 100 }),
    "UNSUPPORTED",
    'query_pre_attn_scalar": expected "32", found "100"',
  ],
  [
    "Gemma with other windows",
    config(gemmaFolder(), { layer_types: ["full_attention"] }),
    "UNSUPPORTED",
    "every sixth layer",
  ],
  [
    "stretched positions",
    config(gemmaFolder(), { rope_scaling: { rope_type: "yarn", factor: 4 } }),
    "UNSUPPORTED",
    'scaled ("yarn")',
  ],
  [
    "a dense layer with a bias",
    changed(gemmaFolder(), "2_Dense/config.json", { bias: true }),
    "UNSUPPORTED",
    "found bias true",
  ],
  [
    "a dense layer with an activation",
    changed(gemmaFolder(), "2_Dense/config.json", { activation_function: "torch.nn.Tanh" }),
    "UNSUPPORTED",
    "torch.nn.Tanh",
  ],
  [
    "dense layers that lead elsewhere",
    changed(gemmaFolder(), "3_Dense/config.json", { out_features: 16 }),
    "UNSUPPORTED",
    "32 → 64, 64 → 16",
  ],
  [
    "merges in another order than their pieces",
    tokenizer(gemmaFolder(), {
      model: {
        type: "BPE",
        byte_fallback: true,
        unk_token: "<unk>",
        vocab: { "<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, a: 4, b: 5, ab: 6, aa: 7, bb: 8 },
        merges: [
          ["a", "a"],
          ["a", "b"],
        ],
      },
      added_tokens: [],
    }),
    "UNSUPPORTED",
    '"model.merges" are not in the order of the pieces, at "ab"',
  ],
  [
    "windows of Qwen3",
    config(qwen3Folder(), { layer_types: ["sliding_attention"] }),
    "UNSUPPORTED",
    '"layer_types"',
  ],
  [
    "words that are cut otherwise",
    tokenizer(qwen3Folder(), { pre_tokenizer: split("\\w+") }),
    "UNSUPPORTED",
    '"\\\\w+" after "NFC"',
  ],
  [
    "two tokens behind a text",
    tokenizer(qwen3Folder(), {
      post_processor: {
        type: "TemplateProcessing",
        single: [
          { Sequence: { id: "A" } },
          { SpecialToken: { id: "<|endoftext|>" } },
          { SpecialToken: { id: "<|endoftext|>" } },
        ],
      },
    }),
    "UNSUPPORTED",
    "one token at each end",
  ],
  [
    "a token behind a text that there is not",
    tokenizer(qwen3Folder(), {
      post_processor: {
        type: "TemplateProcessing",
        single: [{ Sequence: { id: "A" } }, { SpecialToken: { id: "<end>" } }],
      },
    }),
    "BAD_MODEL",
    '"<end>" is not in the vocabulary',
  ],
  [
    "experts",
    config(nomicFolder(), { moe_every_n_layers: 2 }),
    "UNSUPPORTED",
    "moe_every_n_layers",
  ],
  [
    "another step of a normaliser",
    tokenizer(xlmRobertaFolder(), { normalizer: { type: "Lowercase" } }),
    "UNSUPPORTED",
    '"Lowercase"',
  ],
  [
    "a normaliser that is no base64",
    tokenizer(xlmRobertaFolder(), {
      normalizer: { type: "Precompiled", precompiled_charsmap: "%%" },
    }),
    "BAD_MODEL",
    "precompiled_charsmap",
  ],
  [
    "no tokenizer at all",
    { ...qwen3Folder(), files: { ...qwen3Folder().files, "tokenizer.json": undefined } },
    "FILE_NOT_FOUND",
    "tokenizer.json: no such file",
  ],
];

test.each(REFUSALS)("%s: refused", async (_, folder, code, message) => {
  await using temporary = await temporaryFolder();
  const directory = await writeFolder(folder, join(temporary.path, "model"));
  const error = await rejection(convertFolder(directory, join(temporary.path, "out.gguf")));
  expect(error.message).toContain(message);
  expect(error.code).toBe(code);
  expect(error.message).toStartWith(directory);
});

test.each([
  ["ModernBertModel", "BertModel"],
  ["RobertaForMaskedLM", "XLMRobertaModel"],
  ["Qwen2ForCausalLM", "Qwen3Model"],
  ["Gemma3ForCausalLM", "Gemma3TextModel"],
  ["T5EncoderModel", undefined],
])("%s is not known; the nearest is %s", async (name, nearest) => {
  const folder = config(nomicFolder(), { architectures: [name] });
  const { message, code } = await rejection(convert(folder));
  expect(code).toBe("UNSUPPORTED");
  expect(/of which (\w+) is the nearest/.exec(message)?.[1]).toBe(nearest);
  expect(message).toEndWith(`found "${name}"`);
});
