import { expect, test } from "bun:test";
import { join } from "node:path";
import { buildModel } from "../../src/arch/index.ts";
import { bool, numbers, uint32 } from "../../src/gguf/values.ts";
import { freshFolder } from "../fresh-folder.ts";
import { forward } from "../reference/forward.ts";
import { distance } from "../reference/golden.ts";
import { interpret } from "../reference/interpret.ts";
import type { Vector } from "../reference/math.ts";
import { ReferenceTensors } from "../reference/tensors.ts";
import { makeTinyModel, ODD_SHAPE, type TinyOptions } from "../reference/tiny.ts";
import { bitsOf, runNative, seededTexts } from "./run-native.ts";

const folder = freshFolder();
const LENGTHS = [1, 2, 16, 17, 5, 40, 3, 64];
const GEMMA = { architecture: "gemma-embedding", type: "F32" } as const;
const BERT = { architecture: "bert", type: "F32" } as const;
const NOMIC = { architecture: "nomic-bert", type: "F32" } as const;
const QWEN3 = { architecture: "qwen3", type: "F32" } as const;
const PATTERN = "gemma-embedding.attention.sliding_window_pattern";

/** Float weights: what is left is the arithmetic's own error. */
const FLOAT_CASES: Readonly<Record<string, TinyOptions>> = {
  "gemma-embedding F32": GEMMA,
  "gemma-embedding F16": { ...GEMMA, type: "F16" },
  "gemma-embedding BF16": { ...GEMMA, type: "BF16" },
  "gemma-embedding in an odd shape": { ...GEMMA, shape: ODD_SHAPE },
  "gemma-embedding without dense layers": { ...GEMMA, dense: false },
  "gemma-embedding with its own pattern": {
    ...GEMMA,
    metadata: { [PATTERN]: numbers("bool", [0, 1, 1, 0, 1, 1, 1]) },
  },
  "bert F32": BERT,
  "bert F16": { ...BERT, type: "F16" },
  "bert in an odd shape": { ...BERT, shape: ODD_SHAPE },
  "bert with Q, K and V in one tensor": { ...BERT, fused: true },
  "bert with CLS pooling": { ...BERT, metadata: { "bert.pooling_type": uint32(2) } },
  "bert with last-token pooling": { ...BERT, metadata: { "bert.pooling_type": uint32(3) } },
  "bert with one token type, as XLM-RoBERTa": { ...BERT, tokenTypes: 1 },
  "nomic-bert F32": NOMIC,
  "nomic-bert F16": { ...NOMIC, type: "F16" },
  "nomic-bert in an odd shape": { ...NOMIC, shape: ODD_SHAPE },
  "nomic-bert with biases": { ...NOMIC, biases: true },
  "qwen3 F32": QWEN3,
  "qwen3 F16": { ...QWEN3, type: "F16" },
  "qwen3 in an odd shape": { ...QWEN3, shape: { ...ODD_SHAPE, headsKv: 1 } },
  "qwen3 with as many KV heads": { ...QWEN3, shape: { headsKv: 4 } },
  "qwen3 that looks both ways": {
    ...QWEN3,
    metadata: { "qwen3.attention.causal": bool(false), "qwen3.pooling_type": uint32(1) },
  },
};

for (const [name, options] of Object.entries(FLOAT_CASES)) {
  test(`${name}: embeddings and token vectors are the forward pass`, async () => {
    const file = await makeTinyModel(options, join(folder.path, "tiny.gguf"));
    const tensors = new ReferenceTensors(file);
    const texts = seededTexts(buildModel(file).config.vocabSize, LENGTHS);
    const expected = texts.map((ids) => forward(tensors, ids));

    const embeddings = await runNative(file, texts);
    const wanted = expected.map(({ embedding }) => embedding);
    expect(distance(embeddings, wanted).max).toBeLessThan(2e-6);

    const tokens = await runNative(file, texts, { tokenLevel: true });
    const rows = expected.flatMap((output) => output.tokens);
    // Hidden states are of the order of one, embeddings of an eighth.
    expect(distance(tokens, rows).max).toBeLessThan(2e-5);
  });
}

const INT8_CASES: Readonly<Record<string, TinyOptions>> = {
  "gemma-embedding Q8_0": { ...GEMMA, type: "Q8_0" },
  "gemma-embedding in all types at once": { ...GEMMA, type: "mixed" },
  "bert Q8_0": { ...BERT, type: "Q8_0" },
  "bert in all types at once": { ...BERT, type: "mixed" },
  "nomic-bert Q8_0": { ...NOMIC, type: "Q8_0" },
  "nomic-bert in all types at once": { ...NOMIC, type: "mixed" },
  "qwen3 Q8_0": { ...QWEN3, type: "Q8_0" },
  "qwen3 in all types at once": { ...QWEN3, type: "mixed" },
};

for (const [name, options] of Object.entries(INT8_CASES)) {
  test(`${name}: the engine rounds activations as the numeric contract says`, async () => {
    const file = await makeTinyModel(options, join(folder.path, "tiny.gguf"));
    const tensors = new ReferenceTensors(file);
    const { config, plan } = buildModel(file);
    const texts = seededTexts(config.vocabSize, [1, 2, 1, 2, 3, 1, 2, 1, 3, 2, 1]);
    const found = await runNative(file, texts);
    const rounded = errors(found, interpret(plan, tensors, texts, { int8: true }));
    const exact = errors(found, interpret(plan, tensors, texts));
    // A value that float32 puts on the other side of a half moves a text by a step of 1/127; most
    // texts have none such, and agree to float32.
    expect(rounded[5]).toBeLessThan(2e-6);
    expect(exact[5]).toBeGreaterThan(1e-4);
  });

  test(`${name}: with high precision the engine is the forward pass, nearly`, async () => {
    const file = await makeTinyModel(options, join(folder.path, "tiny.gguf"));
    const tensors = new ReferenceTensors(file);
    const texts = seededTexts(buildModel(file).config.vocabSize, LENGTHS);
    const expected = texts.map((ids) => forward(tensors, ids).embedding);
    const { rms, max } = distance(await runNative(file, texts, { precision: "high" }), expected);
    // Components of 64 are larger than those of real models, and so are their errors.
    expect(rms).toBeLessThan(2e-5);
    expect(max).toBeLessThan(1e-4);
    // Two planes are what it comes from: 16 bits, and not float32.
    const { plan } = buildModel(file, { precision: "high" });
    const rounded = interpret(plan, tensors, texts, { int8: true });
    expect(rms).toBeGreaterThan(distance(rounded, expected).rms / 2);
    expect(rms).toBeLessThan(distance(rounded, expected).rms * 2);
  });
}

test("with float weights precision changes nothing", async () => {
  for (const type of ["F32", "F16", "BF16"] as const) {
    const file = await makeTinyModel({ ...GEMMA, type }, join(folder.path, "tiny.gguf"));
    const texts = seededTexts(buildModel(file).config.vocabSize, LENGTHS);
    const high = await runNative(file, texts, { precision: "high" });
    expect(bitsOf(high)).toEqual(bitsOf(await runNative(file, texts)));
  }
});

/** Largest error of each text, ascending. */
function errors(found: readonly Vector[], expected: readonly Vector[]): number[] {
  const each = found.map((vector, i) => distance([vector], [expected[i] as Vector]).max);
  return each.sort((a, b) => a - b);
}
