import { beforeAll, describe, expect, test } from "bun:test";
import { buildModel } from "../../src/arch/index.ts";
import type { Matmul, Operation } from "../../src/arch/plan.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { bool, strings, uint32 } from "../../src/gguf/values.ts";
import { thrown } from "../gguf/rejection.ts";
import { type Edits, edit } from "./edit.ts";
import { tinyHeader } from "./tiny-file.ts";

let file: GgufFile;
beforeAll(async () => {
  file = await tinyHeader({ architecture: "qwen3", type: "Q8_0" });
});

function build(edits: Edits = {}) {
  return buildModel(edit(file, edits));
}

const LAYER: readonly Operation["op"][] = [
  "rms_norm",
  "matmul",
  "prepare_heads",
  "attention",
  "matmul",
  "rms_norm",
  "activated_matmul",
  "matmul",
];

test("the operations are those of Qwen3, each layer's the same", () => {
  const { operations } = build().plan;
  expect(operations.map(({ op }) => op)).toEqual([
    "embed",
    ...[...LAYER, ...LAYER, ...LAYER],
    "rms_norm",
    "pool",
    "output",
  ]);
  const heads = operations.find(({ op }) => op === "prepare_heads");
  expect(heads).toMatchObject({ headCount: 4, headCountKv: 2, headSize: 32, ropeBase: 1e6 });
  expect(heads).toMatchObject({ queryScale: 1 / Math.sqrt(32) });
  expect(operations.find(({ op }) => op === "attention")).toMatchObject({ causal: true });
  expect(operations.find(({ op }) => op === "pool")).toMatchObject({ kind: "last" });
});

test("V alone is made of 16 bits", () => {
  const { operations, weights } = build().plan;
  const products = operations.filter(({ op }) => op.includes("matmul")) as Matmul[];
  const fine = products.map(({ matrix, fineRow }) => weights[matrix]!.rows - fineRow);
  // Of Q, K and V: 2 heads of 32.
  expect(fine).toEqual([64, 0, 0, 0, 64, 0, 0, 0, 64, 0, 0, 0]);
});

test("one that was trained to look both ways does so", () => {
  const both = build({ metadata: { "qwen3.attention.causal": bool(false) } });
  const attention = both.plan.operations.find(({ op }) => op === "attention");
  expect(attention).toMatchObject({ causal: false });
});

describe("pooling", () => {
  test("is the last token where the file says nothing, with a warning", () => {
    const { config } = build({ metadata: { "qwen3.pooling_type": undefined } });
    expect(config.pooling).toBe("last");
    const warning = config.warnings.join();
    expect(warning).toContain("qwen3.pooling_type is missing: last-token pooling is assumed");
    expect(warning).toContain("a model that only writes text was trained for none");
  });

  test("of a reranker is rank, with two logits, until the caller sets another", () => {
    const reranker = edit(file, {
      metadata: { "qwen3.pooling_type": uint32(4) },
      tensors: { "cls.output.weight": { shape: [64, 2] } },
    });
    const model = buildModel(reranker);
    expect(model.reranker).toBe("judge");
    expect(model.config).toMatchObject({ pooling: "rank", embeddingSize: 2, normalize: false });
    const labelled = (...labels: string[]) =>
      edit(reranker, { metadata: { "qwen3.classifier.output_labels": strings(labels) } });
    expect(buildModel(labelled("yes", "no")).reranker).toBe("judge");
    const error = thrown(() => buildModel(labelled("no", "yes")));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain("expected yes, no; found no, yes");
    expect(buildModel(reranker, { pooling: "last" }).config.pooling).toBe("last");
  });
});

test("each tensor is needed, in its own shape", () => {
  expect(file.tensors.size).toBe(2 + 3 * 11);
  for (const [name, { shape }] of file.tensors) {
    const missing = thrown(() => build({ tensors: { [name]: undefined } }));
    expect(missing.code).toBe("BAD_MODEL");
    expect(missing.message).toContain(`tensor "${name}" is missing`);
    const other = shape.map((size) => size + 32);
    const wrong = thrown(() => build({ tensors: { [name]: { shape: other } } }));
    expect(wrong.code).toBe("BAD_MODEL");
    expect(wrong.message).toContain(`tensor "${name}": expected shape`);
  }
});

test("a language model's head is no matter, biases are", () => {
  const head = { type: "Q8_0", shape: [64, 96] } as const;
  expect(build({ tensors: { "output.weight": head } }).plan).toEqual(build().plan);
  const error = thrown(() => build({ tensors: { "blk.0.attn_q.bias": { shape: [128] } } }));
  expect(error.code).toBe("UNSUPPORTED");
  expect(error.message).toContain("blk.0.attn_q.bias");
  expect(error.message).toContain("biases where others of its kind have none");
});

test("heads of an odd size have no pairs to rotate", () => {
  const metadata = {
    "qwen3.attention.key_length": uint32(31),
    "qwen3.attention.value_length": uint32(31),
  };
  const error = thrown(() => build({ metadata }));
  expect(error.code).toBe("BAD_MODEL");
  expect(error.message).toContain("an even number");
});
