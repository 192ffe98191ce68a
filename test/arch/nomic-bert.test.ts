import { beforeAll, expect, test } from "bun:test";
import { buildModel } from "../../src/arch/index.ts";
import type { Operation } from "../../src/arch/plan.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { bool, float32, uint32 } from "../../src/gguf/values.ts";
import { thrown } from "../gguf/rejection.ts";
import { type Edits, edit } from "./edit.ts";
import { tinyHeader } from "./tiny-file.ts";

let file: GgufFile;
beforeAll(async () => {
  file = await tinyHeader({ architecture: "nomic-bert", type: "Q8_0" });
});

function build(edits: Edits = {}) {
  return buildModel(edit(file, edits));
}

const LAYER: readonly Operation["op"][] = [
  "matmul",
  "prepare_heads",
  "attention",
  "matmul",
  "layer_norm",
  "activated_matmul",
  "matmul",
  "layer_norm",
];

test("the operations are BERT's without positions, with rotation and SwiGLU", () => {
  const { operations } = build().plan;
  expect(operations.map(({ op }) => op)).toEqual([
    "embed",
    "add_row",
    "layer_norm",
    ...[...LAYER, ...LAYER, ...LAYER],
    "pool",
    "output",
  ]);
  const heads = operations.find(({ op }) => op === "prepare_heads");
  expect(heads).toMatchObject({ headCount: 4, headSize: 16, ropeBase: 1000, queryScale: 0.25 });
  expect(operations.find(({ op }) => op === "attention")).toMatchObject({ causal: false });
  const activated = operations.find(({ op }) => op === "activated_matmul") as { matrix: number };
  expect(activated).toMatchObject({ kind: "silu", gated: true, bias: undefined });
  const { parts } = build().plan.weights[activated.matrix]!;
  expect(parts.map(({ name }) => name)).toEqual(["blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"]);
});

test("a file that is silent on the base gets that of the configuration", () => {
  const { operations } = build({ metadata: { "nomic-bert.rope.freq_base": undefined } }).plan;
  expect(operations.find(({ op }) => op === "prepare_heads")).toMatchObject({ ropeBase: 10_000 });
});

test("biases count where there are any", async () => {
  const biased = await tinyHeader({ architecture: "nomic-bert", type: "Q8_0", biases: true });
  const products = buildModel(biased).plan.operations.filter(({ op }) => op.includes("matmul"));
  for (const product of products) expect(product).toHaveProperty("bias", expect.any(Number));
});

test("each tensor but the token types is needed", () => {
  const needed = [...file.tensors.keys()].filter((name) => name !== "token_types.weight");
  expect(needed).toHaveLength(3 + 3 * 9);
  for (const name of needed) {
    // Without one tensor for all, a file should have one each for Q, K and V.
    const wanted = name.replace("attn_qkv", "attn_q");
    const error = thrown(() => build({ tensors: { [name]: undefined } }));
    expect(error.code).toBe("BAD_MODEL");
    expect(error.message).toContain(`tensor "${wanted}" is missing`);
  }
});

test("what this version does not do is refused", () => {
  const cases = {
    "attention.causal": [bool(true), "expected false"],
    "attention.head_count_kv": [uint32(2), "expected 4"],
    expert_count: [uint32(8), "a mixture of experts (MoE)"],
    "rope.scaling.factor": [float32(0.75), "RoPE scaling"],
  } as const;
  for (const [key, [entry, what]] of Object.entries(cases)) {
    const error = thrown(() => build({ metadata: { [`nomic-bert.${key}`]: entry } }));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain(`"nomic-bert.${key}"`);
    expect(error.message).toContain(what);
  }
});
