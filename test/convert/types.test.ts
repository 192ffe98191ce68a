import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { convert, QUANTIZE_TYPES, type QuantizeType, quantize } from "../../src/index.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { type BertFolder, bertFolder, SIZES, writeFolder } from "./bert-folder.ts";
import { convert as convertFolder } from "./converted.ts";
import { gemmaFolder, nomicFolder, qwen3Folder, xlmRobertaFolder } from "./folders.ts";
import { type Tensor, tensorOf } from "./safetensors-file.ts";

/** Rows of whole blocks of 256, and some of blocks of 32 and of none. */
const wide = () => bertFolder({ ...SIZES, hidden: 256, ffn: 80 });

/** The file of a conversion, and that of a conversion to F32 which was then quantised. */
async function bothWays(folder: BertFolder, type: QuantizeType, pure = false) {
  await using temporary = await temporaryFolder();
  const at = (name: string) => join(temporary.path, name);
  const directory = await writeFolder(folder, at("model"));
  await convert(directory, at("straight.gguf"), { type, pure });
  await convert(directory, at("floats.gguf"), { type: "F32" });
  await quantize(at("floats.gguf"), at("quantized.gguf"), { type, pure });
  const files = ["straight.gguf", "quantized.gguf"].map((name) => Bun.file(at(name)).bytes());
  return await Promise.all(files);
}

describe("a conversion is what quantize makes of one to F32", () => {
  test.each(QUANTIZE_TYPES)("%s", async (type) => {
    for (const pure of [false, true]) {
      const [straight, quantized] = await bothWays(wide(), type, pure);
      expect(straight).toEqual(quantized!);
    }
  });

  /** Rows left out, ones added to norms, weights in several files, a table of one row. */
  test.each([
    ["XLM-RoBERTa", xlmRobertaFolder()],
    ["EmbeddingGemma", gemmaFolder()],
    ["Qwen3", qwen3Folder()],
    ["nomic-bert", nomicFolder()],
  ])("%s", async (_, folder) => {
    for (const type of ["BF16", "Q8_0", "Q4_K"] as const) {
      const [straight, quantized] = await bothWays(folder, type);
      expect(straight).toEqual(quantized!);
    }
  });
});

test("the same bytes on any threads", async () => {
  const files = [];
  for (const threads of [1, 2, 5]) {
    files.push((await convertFolder(wide(), { type: "Q6_K", threads })).bytes.toBase64());
  }
  expect(new Set(files).size).toBe(1);
});

test("the name of a type in small letters, as quantize takes it", async () => {
  const type = "q4_k" as QuantizeType;
  expect((await convertFolder(wide(), { type })).bytes).toEqual(
    (await convertFolder(wide(), { type: "Q4_K_M" })).bytes,
  );
});

/** Numbers that all three formats have. */
const VALUES = [0, 1, -2.5, 0.5, 1024, -0.125, -0];
type Numbers = Float32Array<ArrayBuffer>;
const STORED = {
  F32: (values: Numbers) => values,
  F16: (values: Numbers) => Float16Array.from(values),
  BF16: (values: Numbers) =>
    Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16),
};

test.each(Object.keys(STORED) as (keyof typeof STORED)[])(
  "a checkpoint of %s at odd places: every number, and norms in F32",
  async (dtype) => {
    const folder = bertFolder();
    const numbers: Record<string, Numbers> = {};
    for (const [name, { shape }] of Object.entries(folder.tensors)) {
      const length = shape.reduce((product, side) => product * side, 1);
      numbers[name] = Float32Array.from({ length }, (_, i) => VALUES[i % VALUES.length]!);
    }
    const stored = Object.entries(folder.tensors).map(([name, { shape }]) => {
      return [name, tensorOf(dtype, shape, STORED[dtype](numbers[name]!))] as const;
    });
    // One byte before them all; the model's own pooler is left out.
    const before: Tensor = { dtype: "U8", shape: [1], bytes: Uint8Array.of(7) };
    const tensors = { "pooler.before": before, ...Object.fromEntries(stored) };
    const converted = await convertFolder({ ...folder, tensors }, { type: "F32" });
    const floats = (name: string) => new Float32Array(converted.tensor(name).slice().buffer);
    for (const [name, source] of [
      ["token_embd.weight", "embeddings.word_embeddings.weight"],
      ["blk.0.ffn_up.weight", "encoder.layer.0.intermediate.dense.weight"],
      ["token_embd_norm.weight", "embeddings.LayerNorm.weight"],
    ] as const) {
      expect(floats(name)).toEqual(numbers[source]!);
    }
    const quantized = await convertFolder({ ...folder, tensors }, { type: "Q4_K" });
    expect(quantized.file.tensors.get("token_embd_norm.weight")!.type).toBe("F32");
  },
);
