import { beforeAll, describe, expect, test } from "bun:test";
import { buildModel } from "../../src/arch/index.ts";
import type { Operation } from "../../src/arch/plan.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { bool, string, uint32 } from "../../src/gguf/values.ts";
import { thrown } from "../gguf/rejection.ts";
import { type Edits, edit } from "./edit.ts";
import { tinyHeader } from "./tiny-file.ts";

let file: GgufFile;
beforeAll(async () => {
  file = await tinyHeader({ architecture: "bert", type: "Q8_0" });
});

function build(edits: Edits = {}) {
  return buildModel(edit(file, edits));
}

function names(operations: readonly Operation[]): string[] {
  return operations.map(({ op }) => op);
}

const LAYER = [
  "matmul",
  "prepare_heads",
  "attention",
  "matmul",
  "layer_norm",
  "activated_matmul",
  "matmul",
  "layer_norm",
];

test("the configuration is what the file says", () => {
  const { config } = build();
  expect(config).toMatchObject({
    architecture: "bert",
    contextLength: 64,
    hiddenSize: 64,
    embeddingSize: 64,
    layerCount: 3,
    pooling: "mean",
    normalize: true,
    warnings: [],
  });
});

test("the operations are those of BERT, each layer's the same", () => {
  const { operations } = build().plan;
  expect(names(operations)).toEqual([
    "embed",
    "add_position",
    "add_row",
    "layer_norm",
    ...LAYER,
    ...LAYER,
    ...LAYER,
    "pool",
    "output",
  ]);
  const heads = operations.find(({ op }) => op === "prepare_heads");
  expect(heads).toMatchObject({ headCount: 4, headSize: 16, ropeBase: 0, queryScale: 0.25 });
  expect(operations.find(({ op }) => op === "attention")).toMatchObject({
    reach: 0,
    causal: false,
  });
  expect(operations.find(({ op }) => op === "activated_matmul")).toMatchObject({
    kind: "gelu_erf",
    gated: false,
  });
});

test("the residual stream is read in both forms, what only matmuls read in one", () => {
  const { buffers, operations } = build().plan;
  const forms = (op: Operation["op"]) => {
    const operation = operations.find((each) => each.op === op) as { dst: number };
    const { float, quantized } = buffers[operation.dst]!;
    return { float, quantized };
  };
  // Two: V of the last layer sees it in 16 bits.
  expect(forms("layer_norm")).toEqual({ float: true, quantized: 2 });
  expect(forms("attention")).toEqual({ float: false, quantized: 1 });
  expect(forms("activated_matmul")).toEqual({ float: false, quantized: 1 });
  expect(names(operations)).not.toContain("quantize");
});

test("Q, K and V may come as one tensor", async () => {
  const fused = await tinyHeader({ architecture: "bert", type: "Q8_0", fused: true });
  const { plan } = buildModel(fused);
  expect(names(plan.operations)).toEqual(names(build().plan.operations));
  const matmul = plan.operations.find(({ op }) => op === "matmul") as { matrix: number };
  const [part, ...others] = plan.weights[matmul.matrix]!.parts;
  expect([part!.name, others.length]).toEqual(["blk.0.attn_qkv.weight", 0]);
});

test("a table of token types with one row serves, and so does none", () => {
  const oneRow = { "token_types.weight": { shape: [64] } };
  expect(names(build({ tensors: oneRow }).plan.operations)).toContain("add_row");
  const none = { "token_types.weight": undefined };
  expect(names(build({ tensors: none }).plan.operations)).not.toContain("add_row");
});

test("causal attention is refused", () => {
  const error = thrown(() => build({ metadata: { "bert.attention.causal": bool(true) } }));
  expect(error.code).toBe("UNSUPPORTED");
  expect(error.message).toContain('"bert.attention.causal": expected false, found bool true');
});

test("heads must share the hidden size evenly", () => {
  const error = thrown(() => build({ metadata: { "bert.attention.head_count": uint32(5) } }));
  expect(error.code).toBe("BAD_MODEL");
  expect(error.message).toContain('"bert.attention.head_count"');
  expect(error.message).toContain("divisor of the hidden size 64");
});

test("the position table must have a row for each position", () => {
  const error = thrown(() => build({ metadata: { "bert.context_length": uint32(65) } }));
  expect(error.code).toBe("BAD_MODEL");
  expect(error.message).toContain(
    '"position_embd.weight": expected shape [64, 65], found [64, 64]',
  );
});

describe("pooling", () => {
  for (const [number, pooling] of [
    [0, "none"],
    [1, "mean"],
    [2, "cls"],
    [3, "last"],
  ] as const) {
    test(`${number} is ${pooling}`, () => {
      const { config, plan } = build({ metadata: { "bert.pooling_type": uint32(number) } });
      expect(config.pooling).toBe(pooling);
      expect(plan.operations.find(({ op }) => op === "pool")).toMatchObject({ kind: pooling });
    });
  }

  test("is what the model's family has, where the file says nothing", () => {
    const silent = { "bert.pooling_type": undefined };
    const bge = { ...silent, "general.name": string("bge-base-en-v1.5") };
    const { config, plan } = build({ metadata: bge });
    expect(config.pooling).toBe("cls");
    expect(config.warnings.join()).toContain("with which bge (English) was trained");
    expect(plan.operations.find(({ op }) => op === "pool")).toMatchObject({ kind: "cls" });
    expect(build({ metadata: silent }).config.pooling).toBe("mean");
  });

  test("rank makes a reranker, with the head behind the first token", () => {
    const reranker = edit(file, {
      metadata: { "bert.pooling_type": uint32(4) },
      tensors: {
        "cls.weight": { shape: [64, 64] },
        "cls.bias": { shape: [64] },
        "cls.output.weight": { shape: [64, 1] },
        "cls.output.bias": { shape: [1] },
      },
    });
    const model = buildModel(reranker);
    expect(model.reranker).toBe("classifier");
    expect(model.config).toMatchObject({ pooling: "rank", embeddingSize: 1, normalize: false });
    expect(model.plan.typeCount).toBe(2);
    expect(names(model.plan.operations).slice(0, 4)).toContain("add_type");
    const head = ["pool", "activated_matmul", "matmul", "output"];
    expect(names(model.plan.operations).slice(-4)).toEqual(head);
    const oneType = edit(reranker, { tensors: { "token_types.weight": { shape: [64, 1] } } });
    expect(buildModel(oneType).plan.typeCount).toBe(1);
    expect(names(buildModel(oneType).plan.operations)).toContain("add_row");
    const asEmbedding = buildModel(reranker, { pooling: "cls" });
    expect(asEmbedding.config.pooling).toBe("cls");
    expect(asEmbedding.reranker).toBeUndefined();
    expect(asEmbedding.plan.typeCount).toBe(1);
    for (const name of ["cls", "cls.output"]) {
      const headless = edit(reranker, { tensors: { [`${name}.weight`]: undefined } });
      const error = thrown(() => buildModel(headless));
      expect(error.code).toBe("BAD_MODEL");
      expect(error.message).toContain(`lacks ${name}.weight`);
    }
  });
});

test("each tensor but the token types is needed", () => {
  const needed = [...file.tensors.keys()].filter((name) => name !== "token_types.weight");
  expect(needed).toHaveLength(4 + 3 * 16);
  for (const name of needed) {
    const error = thrown(() => build({ tensors: { [name]: undefined } }));
    expect(error.code).toBe("BAD_MODEL");
    expect(error.message).toContain(`tensor "${name}" is missing`);
  }
});

test("the norms of a kin of BERT that this plan does not have are refused", () => {
  const error = thrown(() => build({ tensors: { "blk.1.attn_q_norm.weight": { shape: [64] } } }));
  expect(error.code).toBe("UNSUPPORTED");
  expect(error.message).toContain("blk.1.attn_q_norm.weight");
});
