import { beforeAll, describe, expect, test } from "bun:test";
import { buildModel } from "../../src/arch/index.ts";
import { isMatmul, type Operation } from "../../src/arch/plan.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { bool, float32, numbers, string, uint32 } from "../../src/gguf/values.ts";
import { thrown } from "../gguf/rejection.ts";
import { type Edits, edit } from "./edit.ts";
import { tinyHeader } from "./tiny-file.ts";

const KEY = "gemma-embedding.";

let file: GgufFile;
beforeAll(async () => {
  file = await tinyHeader({ architecture: "gemma-embedding", type: "Q8_0" });
});

function build(edits: Edits = {}) {
  return buildModel(edit(file, edits));
}

function of<Op extends Operation["op"]>(operations: readonly Operation[], op: Op) {
  return operations.filter((each): each is Extract<Operation, { op: Op }> => each.op === op);
}

test("the configuration is what the file says", () => {
  const { config, plan } = build();
  expect(config).toEqual({
    architecture: "gemma-embedding",
    name: "tiny gemma-embedding",
    contextLength: 128,
    hiddenSize: 64,
    embeddingSize: 64,
    layerCount: 7,
    vocabSize: file.tensors.get("token_embd.weight")!.shape[1]!,
    weightType: "Q8_0",
    pooling: "mean",
    precision: "default",
    normalize: true,
    warnings: [],
  });
  const { contextLength, hiddenSize, embeddingSize, vocabSize, pooling } = config;
  expect(plan).toMatchObject({ contextLength, hiddenSize, embeddingSize, vocabSize, pooling });
});

test("a file without a name is called by its own", () => {
  const { config } = build({ metadata: { "general.name": undefined } });
  expect(config.name).toBe("tiny");
});

test("every sixth layer sees the whole text, with a slower rotation", () => {
  const { operations } = build().plan;
  const reaches = of(operations, "attention").map(({ reach }) => reach);
  expect(reaches).toEqual([4, 4, 4, 4, 4, 0, 4]);
  const bases = of(operations, "prepare_heads").map(({ ropeBase }) => ropeBase);
  expect(bases).toEqual([1e4, 1e4, 1e4, 1e4, 1e4, 1e6, 1e4]);
  expect(of(operations, "attention").every(({ causal }) => !causal)).toBe(true);
});

test("the file's own window, bases and pattern count", () => {
  const { operations } = build({
    metadata: {
      [`${KEY}attention.sliding_window`]: uint32(7),
      [`${KEY}attention.sliding_window_pattern`]: uint32(3),
      [`${KEY}rope.freq_base`]: float32(5e5),
      [`${KEY}rope.freq_base_swa`]: float32(2e4),
    },
  }).plan;
  const layers = of(operations, "prepare_heads").map(({ ropeBase }, layer) => [
    of(operations, "attention")[layer]!.reach,
    ropeBase,
  ]);
  const [local, global] = [
    [3, 2e4],
    [0, 5e5],
  ];
  expect(layers).toEqual([local, local, global, local, local, global, local]);
});

test("a pattern may name each layer", () => {
  const flags = [1, 0, 0, 1, 1, 0, 1];
  const metadata = { [`${KEY}attention.sliding_window_pattern`]: numbers("bool", flags) };
  const reaches = of(build({ metadata }).plan.operations, "attention").map(({ reach }) => reach);
  expect(reaches).toEqual(flags.map((flag) => 4 * flag));
});

test("embeddings are scaled by √64 and queries by 1/√32", () => {
  const { operations } = build().plan;
  expect(of(operations, "embed")[0]!.scale).toBe(8);
  for (const { queryScale } of of(operations, "prepare_heads")) {
    expect(queryScale).toBe(1 / Math.sqrt(32));
  }
});

test("Q, K and V are one matmul, gate and up another, and layers share their buffers", () => {
  const { operations, weights, buffers } = build().plan;
  const names = operations
    .filter(isMatmul)
    .map(({ matrix }) => weights[matrix]!.parts.map(({ name }) => name));
  const inFirstLayer = names.slice(0, 4).map((parts) => parts.map((name) => name.slice(6, -7)));
  expect(inFirstLayer).toEqual([
    ["attn_q", "attn_k", "attn_v"],
    ["attn_output"],
    ["ffn_gate", "ffn_up"],
    ["ffn_down"],
  ]);
  expect(names).toHaveLength(7 * 4 + 2);
  // x, both inputs, qkv, keys, attended, projected, activated; pooled, dense_2, dense_3.
  const widths = [64, 64, 64, 128, 32, 64, 64, 96, 64, 128, 64];
  expect(buffers.map(({ width }) => width)).toEqual(widths);
});

test("a layer's last norm and the next one's first are one operation, which ends the layer", () => {
  const { operations, layerEnds, buffers } = build().plan;
  const norms = of(operations, "rms_norm");
  // The first layer's first, two in the middle of each, two between them, and the last two: the
  // output norm writes over what it reads.
  expect(norms).toHaveLength(1 + 7 + 6 + 2);
  expect(norms.filter(({ next }) => next !== undefined)).toHaveLength(7 + 6);
  for (const end of layerEnds.slice(0, -1)) {
    const norm = operations[end]!;
    if (norm.op !== "rms_norm") throw new Error("not found");
    expect(norm.residual).toBe(norm.dst);
    expect(buffers[norm.next!.dst]).toMatchObject({ float: false, quantized: 2 });
  }
});

describe("dense layers", () => {
  test("missing ones leave the pooled vector, with a warning that names them", () => {
    const tensors = { "dense_2.weight": undefined, "dense_3.weight": undefined };
    const { config, plan } = build({ tensors });
    expect(config.warnings.join()).toContain("lacks dense_2.weight and dense_3.weight");
    expect(config.embeddingSize).toBe(64);
    expect(plan.operations.filter(isMatmul)).toHaveLength(7 * 4);
  });

  test("one alone gives its own width", () => {
    const { config } = build({ tensors: { "dense_3.weight": undefined } });
    expect(config.embeddingSize).toBe(128);
    expect(config.hiddenSize).toBe(64);
    expect(config.warnings.join()).toContain("lacks dense_3.weight");
  });

  test("that contradict the metadata or each other are refused", () => {
    const stated = thrown(() => build({ metadata: { [`${KEY}dense_2_feat_out`]: uint32(96) } }));
    expect(stated.code).toBe("BAD_MODEL");
    expect(stated.message).toContain('"dense_2.weight": expected shape [64, 96], found [64, 128]');
    const alone = thrown(() => build({ tensors: { "dense_2.weight": undefined } }));
    expect(alone.message).toContain("dense_3_feat_in");
    expect(alone.message).toContain("expected 64, found uint32 128");
  });
});

test("V sees its input in two planes, rows of texts too, and all in high precision", () => {
  const planes = (rows: "tokens" | "texts", precision: "default" | "high") => {
    const { buffers } = buildModel(file, { precision }).plan;
    const read = buffers.filter((buffer) => buffer.rows === rows && buffer.quantized > 0);
    return read.map(({ quantized }) => quantized);
  };
  // What Q, K and V, the feed-forward network, attention's output and the second half of the
  // network see.
  expect(planes("tokens", "default")).toEqual([2, 1, 1, 1]);
  expect(planes("tokens", "high")).toEqual([2, 2, 2, 2]);
  const fineRows = (precision: "default" | "high") => {
    const { operations } = buildModel(file, { precision }).plan;
    return operations.filter(isMatmul).map(({ fineRow }) => fineRow);
  };
  // V is the last 32 of 128 rows; of the other products of a layer none has such rows.
  expect(fineRows("default").slice(0, 4)).toEqual([96, 64, 192, 64]);
  expect(fineRows("default").slice(-2)).toEqual([0, 0]);
  expect(fineRows("high").every((row) => row === 0)).toBe(true);
  for (const precision of ["default", "high"] as const) {
    expect(planes("texts", precision)).toEqual([2, 2]);
  }
  expect(buildModel(file, { precision: "high" }).config.precision).toBe("high");
});

describe("pooling", () => {
  test("the caller's pooling goes before the file's", () => {
    const { config, plan } = buildModel(file, { pooling: "last" });
    expect(config.pooling).toBe("last");
    expect(of(plan.operations, "pool")[0]!.kind).toBe("last");
  });

  test("none gives token vectors as wide as the hidden states, not normalised", () => {
    const { config } = buildModel(edit(file, { tensors: { "dense_3.weight": undefined } }), {
      pooling: "none",
    });
    expect(config).toMatchObject({ pooling: "none", embeddingSize: 64, normalize: false });
  });

  test("a file that says nothing gets the mean, with a warning", () => {
    const { config } = build({ metadata: { [`${KEY}pooling_type`]: undefined } });
    expect(config.pooling).toBe("mean");
    expect(config.warnings.join()).toContain(`${KEY}pooling_type is missing`);
  });

  test("a number outside the list is refused", () => {
    const error = thrown(() => build({ metadata: { [`${KEY}pooling_type`]: uint32(5) } }));
    expect(error.code).toBe("BAD_MODEL");
    expect(error.message).toContain(`"${KEY}pooling_type": expected 0 (none) to 4 (rank)`);
  });
});

describe("a file that cannot be run", () => {
  const wrongKeys: readonly [key: string, entry: ReturnType<typeof uint32>, expected: string][] = [
    ["context_length", uint32(0), "a whole number from 1 to"],
    ["context_length", uint32(2 ** 31 - 1), "found uint32 2147483647"],
    ["block_count", uint32(513), "from 0 to 512"],
    ["attention.head_count_kv", uint32(3), "a divisor of the 2 heads"],
    ["attention.head_count_kv", uint32(0), "a divisor of the 2 heads"],
    ["attention.key_length", uint32(31), "an even number"],
    ["attention.value_length", uint32(64), "expected 32, the length of a key"],
    ["attention.layer_norm_rms_epsilon", float32(0), "between 0 and 1"],
    ["attention.layer_norm_rms_epsilon", float32(Number.NaN), "a finite number"],
    ["attention.sliding_window", uint32(1), "a whole number from 2 to"],
    ["attention.sliding_window_pattern", numbers("bool", [1, 0]), "each of the 7 layers"],
    ["rope.freq_base", float32(1), "a number above 1"],
  ];
  for (const [key, entry, expected] of wrongKeys) {
    test(`${key}: ${expected}`, () => {
      const metadata = { [`${KEY}${key}`]: entry };
      if (key === "attention.key_length") metadata[`${KEY}attention.value_length`] = entry;
      const error = thrown(() => build({ metadata }));
      expect(error.code).toBe("BAD_MODEL");
      expect(error.message).toContain(`${file.path}: metadata key "${KEY}${key}": expected`);
      expect(error.message).toContain(expected);
    });
  }

  const needed = [
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "block_count",
    "attention.head_count",
    "attention.layer_norm_rms_epsilon",
    "attention.sliding_window",
  ];
  for (const key of needed) {
    test(`${key} is missing`, () => {
      const error = thrown(() => build({ metadata: { [`${KEY}${key}`]: undefined } }));
      expect(error.code).toBe("BAD_MODEL");
      expect(error.message).toContain(`"${KEY}${key}" is missing`);
    });
  }

  const unsupported = {
    "attention.causal": bool(true),
    attn_logit_softcapping: float32(50),
    "rope.dimension_count": uint32(16),
    "rope.scaling.type": string("yarn"),
    "rope.scaling.factor": float32(8),
  };
  for (const [key, entry] of Object.entries(unsupported)) {
    test(`${key} asks for what this version does not do`, () => {
      const error = thrown(() => build({ metadata: { [`${KEY}${key}`]: entry } }));
      expect(error.code).toBe("UNSUPPORTED");
      expect(error.message).toContain(`"${KEY}${key}"`);
    });
  }

  test("each tensor of a layer is needed, in its own shape", () => {
    const names = [...file.tensors.keys()].filter((name) => !name.startsWith("dense_"));
    expect(names).toHaveLength(2 + 7 * 13);
    for (const name of names) {
      const missing = thrown(() => build({ tensors: { [name]: undefined } }));
      expect(missing.code).toBe("BAD_MODEL");
      expect(missing.message).toContain(`tensor "${name}" is missing`);
      const shape = file.tensors.get(name)!.shape.map((size) => size + 32);
      const wrong = thrown(() => build({ tensors: { [name]: { shape } } }));
      expect(wrong.code).toBe("BAD_MODEL");
      expect(wrong.message).toContain(`tensor "${name}": expected shape`);
    }
  });

  test("a tensor too many is refused, a language model's head is not", () => {
    const head = { type: "Q8_0", shape: [64, 365] } as const;
    expect(build({ tensors: { "output.weight": head } }).plan).toEqual(build().plan);
    const error = thrown(() => build({ tensors: { "blk.0.attn_q.bias": { shape: [64] } } }));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain("blk.0.attn_q.bias");
  });

  test("a vocabulary of another size than the table", () => {
    const tokens = { "tokenizer.ggml.tokens": undefined, [`${KEY}vocab_size`]: uint32(3) };
    expect(build({ metadata: tokens }).config.vocabSize).toBe(365);
    const rows = { "token_embd.weight": { shape: [64, 366] } };
    const error = thrown(() => build({ tensors: rows }));
    expect(error.code).toBe("BAD_MODEL");
    expect(error.message).toContain("token_embd.weight has 366 rows; expected 365");
  });
});
