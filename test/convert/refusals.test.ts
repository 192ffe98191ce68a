import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { convertFolder } from "../../src/convert/index.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { rejection } from "../gguf/rejection.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { type BertFolder, bertFolder, writeFolder } from "./bert-folder.ts";
import { float32 } from "./safetensors-file.ts";

/** Changes some keys of a JSON file. */
function patch(folder: BertFolder, name: string, changes: object): void {
  folder.files[name] = { ...(folder.files[name] as object), ...changes };
}

type Break = (folder: BertFolder) => void;

const config =
  (changes: object): Break =>
  (folder) =>
    patch(folder, "config.json", changes);
const pooling =
  (settings: object): Break =>
  (folder) => {
    folder.files["1_Pooling/config.json"] = settings;
  };
const tokenizer =
  (changes: object): Break =>
  (folder) =>
    patch(folder, "tokenizer.json", changes);
const vocabulary = (vocab: unknown): Break => tokenizer({ model: { type: "WordPiece", vocab } });
const without =
  (...names: string[]): Break =>
  (folder) => {
    for (const name of names) folder.files[name] = undefined;
  };

const QUERY = "encoder.layer.0.attention.self.query.weight";

const CASES: readonly [what: string, break_: Break, code: ErrorCode, message: string][] = [
  ["no config.json", without("config.json"), "FILE_NOT_FOUND", "config.json: no such file"],
  ["no vocabulary", without("tokenizer.json", "vocab.txt"), "FILE_NOT_FOUND", "vocab.txt: no such"],
  [
    "config.json that is no JSON",
    ({ files }) => {
      files["config.json"] = "{";
    },
    "BAD_FILE",
    "config.json: not JSON",
  ],
  [
    "modules.json that is no list",
    ({ files }) => {
      files["modules.json"] = {};
    },
    "BAD_FILE",
    "modules.json: expected an array",
  ],
  ["another architecture", config({ architectures: ["T5"] }), "UNSUPPORTED", 'found "T5"'],
  ["no architecture", config({ architectures: undefined }), "UNSUPPORTED", '"architectures"'],
  ["another activation", config({ hidden_act: "relu" }), "UNSUPPORTED", 'found "relu"'],
  [
    "relative positions",
    config({ position_embedding_type: "relative_key" }),
    "UNSUPPORTED",
    'found "relative_key"',
  ],
  ["a size that is missing", config({ hidden_size: undefined }), "BAD_MODEL", '"hidden_size"'],
  ["a size that is no number", config({ hidden_size: "32" }), "BAD_MODEL", "expected a count"],
  ["sizes that the tensors contradict", config({ hidden_size: 64 }), "BAD_MODEL", "found [16,32]"],
  [
    "a dense layer at the end",
    ({ files }) => {
      (files["modules.json"] as object[]).push({ path: "3_Dense", type: "a.b.Dense" });
    },
    "UNSUPPORTED",
    '"Dense" module',
  ],
  ["max pooling", pooling({ pooling_mode_max_tokens: true }), "UNSUPPORTED", 'found "max"'],
  ["two poolings", pooling({ pooling_mode: ["mean", "cls"] }), "UNSUPPORTED", '"mean", "cls"'],
  ["no pooling", pooling({}), "UNSUPPORTED", "found none"],
  [
    "a pooling from the prototype",
    pooling({ pooling_mode: "toString" }),
    "UNSUPPORTED",
    "toString",
  ],
  [
    "a prompt that is not pooled",
    pooling({ pooling_mode: "mean", include_prompt: false }),
    "UNSUPPORTED",
    "include_prompt",
  ],
  ["another tokenizer", tokenizer({ model: { type: "BPE" } }), "UNSUPPORTED", 'found "BPE"'],
  ["two pieces with one id", vocabulary({ "[PAD]": 0, sun: 0 }), "BAD_MODEL", '"sun" with id 0'],
  ["an id beyond the table", vocabulary({ "[PAD]": 0, sun: 9 }), "BAD_MODEL", '"sun" with id 9'],
  ["an id that is no number", vocabulary({ "[PAD]": {} }), "BAD_MODEL", '"[PAD]" with id NaN'],
  ["no special tokens", vocabulary({ sun: 0 }), "BAD_MODEL", "cls_token [CLS]"],
  [
    "Chinese characters left together",
    tokenizer({ normalizer: { handle_chinese_chars: false } }),
    "UNSUPPORTED",
    "Chinese",
  ],
  [
    "a missing tensor",
    ({ tensors }) => {
      delete tensors[QUERY];
    },
    "BAD_MODEL",
    `tensor "${QUERY}" is missing`,
  ],
  [
    "a tensor with no place",
    ({ tensors }) => {
      tensors["encoder.layer.1.bias"] = float32([1], Float32Array.of(1));
    },
    "UNSUPPORTED",
    '"encoder.layer.1.bias" has no place',
  ],
  [
    "a weight that is not finite",
    ({ tensors }) => {
      tensors[QUERY]!.bytes.fill(0xff, 100, 104);
    },
    "NOT_FINITE",
    `tensor ${QUERY}: it holds a value that is not finite`,
  ],
  [
    "integer weights",
    ({ tensors }) => {
      tensors[QUERY] = { ...tensors[QUERY]!, dtype: "I32" };
    },
    "UNSUPPORTED",
    `"${QUERY}" is I32`,
  ],
];

test.each(CASES)("%s: refused, and no file is left", async (_, breakIt, code, message) => {
  await using temporary = await temporaryFolder();
  const folder = bertFolder();
  breakIt(folder);
  const directory = await writeFolder(folder, join(temporary.path, "model"));
  const error = await rejection(convertFolder(directory, join(temporary.path, "out.gguf")));
  expect(error.message).toContain(message);
  expect(error.code).toBe(code);
  expect(error.message).toStartWith(directory);
  expect(await readdir(temporary.path)).toEqual(["model"]);
});

test("a value that is not finite, where no format changes", async () => {
  await using temporary = await temporaryFolder();
  const folder = bertFolder();
  const norm = "embeddings.LayerNorm.weight";
  new Float32Array(folder.tensors[norm]!.bytes.buffer)[5] = Number.POSITIVE_INFINITY;
  const directory = await writeFolder(folder, join(temporary.path, "model"));
  const path = join(temporary.path, "out.gguf");
  const error = await rejection(convertFolder(directory, path, { type: "F32" }));
  expect([error.code, error.message]).toEqual(["NOT_FINITE", expect.stringContaining(norm)]);
});

test("the weights themselves as the file to write", async () => {
  await using temporary = await temporaryFolder();
  const directory = await writeFolder(bertFolder(), join(temporary.path, "model"));
  const weights = join(directory, "model.safetensors");
  const before = await Bun.file(weights).bytes();
  const error = await rejection(convertFolder(directory, weights));
  expect([error.code, error.message]).toEqual([
    "INVALID_ARGUMENT",
    expect.stringContaining("is read"),
  ]);
  expect(await Bun.file(weights).bytes()).toEqual(before);
});

test("a value too large for F16 fits F32", async () => {
  await using temporary = await temporaryFolder();
  const folder = bertFolder();
  new Float32Array(folder.tensors[QUERY]!.bytes.buffer)[5] = 1e6;
  const directory = await writeFolder(folder, join(temporary.path, "model"));
  const path = join(temporary.path, "out.gguf");
  const error = await rejection(convertFolder(directory, path, { type: "F16" }));
  expect(error.code).toBe("NOT_FINITE");
  expect(error.message).toContain(`tensor ${QUERY}: it holds a value that is too large`);
  await convertFolder(directory, path, { type: "F32" });
  expect(await Bun.file(path).exists()).toBeTrue();
});
