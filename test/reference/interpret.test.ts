import { expect, test } from "bun:test";
import { join } from "node:path";
import { buildModel } from "../../src/arch/index.ts";
import { bool, numbers, uint32 } from "../../src/gguf/values.ts";
import { freshFolder } from "../fresh-folder.ts";
import { forward } from "./forward.ts";
import { distance } from "./golden.ts";
import { interpret } from "./interpret.ts";
import { Random } from "./random.ts";
import { ReferenceTensors } from "./tensors.ts";
import { makeTinyModel, ODD_SHAPE, type TinyOptions } from "./tiny.ts";

const folder = freshFolder();

const GEMMA = { architecture: "gemma-embedding", type: "F32" } as const;
const BERT = { architecture: "bert", type: "F32" } as const;
const NOMIC = { architecture: "nomic-bert", type: "F32" } as const;
const QWEN3 = { architecture: "qwen3", type: "F32" } as const;
const PATTERN = "gemma-embedding.attention.sliding_window_pattern";

/** Each case must hold on its own: plans and forward passes were written apart. */
const CASES: Readonly<Record<string, TinyOptions>> = {
  "gemma-embedding in Q8_0": { ...GEMMA, type: "Q8_0" },
  "gemma-embedding in F32": GEMMA,
  "gemma-embedding in F16": { ...GEMMA, type: "F16" },
  "gemma-embedding in BF16": { ...GEMMA, type: "BF16" },
  "gemma-embedding in all types at once": { ...GEMMA, type: "mixed" },
  "gemma-embedding in an odd shape": { ...GEMMA, shape: ODD_SHAPE },
  "gemma-embedding with as many KV heads": { ...GEMMA, shape: { heads: 4, headsKv: 4 } },
  "gemma-embedding with an odd window": { ...GEMMA, shape: { window: 9 } },
  "gemma-embedding without dense layers": { ...GEMMA, dense: false },
  "gemma-embedding with a pattern of two": { ...GEMMA, metadata: { [PATTERN]: uint32(2) } },
  "gemma-embedding with a pattern by layer": {
    ...GEMMA,
    metadata: { [PATTERN]: numbers("bool", [0, 1, 1, 0, 1, 1, 1]) },
  },
  "bert in Q8_0": { ...BERT, type: "Q8_0" },
  "bert in F32": BERT,
  "bert in all types at once": { ...BERT, type: "mixed" },
  "bert in an odd shape": { ...BERT, shape: ODD_SHAPE },
  "bert with Q, K and V in one tensor": { ...BERT, fused: true },
  "bert with CLS pooling": { ...BERT, metadata: { "bert.pooling_type": uint32(2) } },
  "bert with last-token pooling": { ...BERT, metadata: { "bert.pooling_type": uint32(3) } },
  "bert with one token type, as XLM-RoBERTa": { ...BERT, tokenTypes: 1 },
  "nomic-bert in Q8_0": { ...NOMIC, type: "Q8_0" },
  "nomic-bert in F32": NOMIC,
  "nomic-bert in all types at once": { ...NOMIC, type: "mixed" },
  "nomic-bert in an odd shape": { ...NOMIC, shape: ODD_SHAPE },
  "nomic-bert with biases": { ...NOMIC, biases: true },
  "qwen3 in Q8_0": { ...QWEN3, type: "Q8_0" },
  "qwen3 in F32": QWEN3,
  "qwen3 in all types at once": { ...QWEN3, type: "mixed" },
  "qwen3 in an odd shape": { ...QWEN3, shape: { ...ODD_SHAPE, headsKv: 1 } },
  "qwen3 that looks both ways": {
    ...QWEN3,
    metadata: { "qwen3.attention.causal": bool(false) },
  },
};

for (const [name, options] of Object.entries(CASES)) {
  test(`${name}: the plan is the forward pass`, async () => {
    const file = await makeTinyModel(options, join(folder.path, "tiny.gguf"));
    const tensors = new ReferenceTensors(file);
    const { config, plan } = buildModel(file);
    const texts = randomTexts(config.vocabSize, [1, 2, 5, 23]);
    const expected = texts.map((ids) => forward(tensors, ids));

    const embeddings = expected.map(({ embedding }) => embedding);
    expect(distance(interpret(plan, tensors, texts), embeddings).max).toBeLessThan(1e-12);

    const tokens = expected.flatMap((output) => output.tokens);
    const byPlan = interpret(plan, tensors, texts, { tokenLevel: true });
    expect(distance(byPlan, tokens).max).toBeLessThan(1e-12);
  });
}

test("int8 activations move vectors by about what their rounding does", async () => {
  const path = join(folder.path, "tiny.gguf");
  const file = await makeTinyModel({ ...GEMMA, type: "Q8_0" }, path);
  const tensors = new ReferenceTensors(file);
  const { config, plan } = buildModel(file);
  const texts = randomTexts(config.vocabSize, [9, 30]);
  const exact = interpret(plan, tensors, texts);
  const rounded = distance(interpret(plan, tensors, texts, { int8: true }), exact);
  expect(rounded.rms).toBeGreaterThan(1e-4);
  expect(rounded.rms).toBeLessThan(1e-2);
});

function randomTexts(vocabSize: number, lengths: readonly number[]): Int32Array[] {
  const random = new Random(7);
  const id = () => random.integer(0, vocabSize - 1);
  return lengths.map((length) => Int32Array.from({ length }, id));
}
