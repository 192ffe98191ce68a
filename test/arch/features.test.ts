import { describe, expect, test } from "bun:test";
import { buildModel } from "../../src/arch/index.ts";
import type { MetadataEntry } from "../../src/gguf/types.ts";
import { float32, numbers, string, uint32 } from "../../src/gguf/values.ts";
import { thrown } from "../gguf/rejection.ts";
import { TINY_ARCHITECTURES } from "../reference/tiny.ts";
import { edit } from "./edit.ts";
import { tinyHeader } from "./tiny-file.ts";

interface Case {
  readonly entry: MetadataEntry;
  /** Said of the model. */
  readonly what: string;
  /** A value that asks for nothing. */
  readonly neutral?: MetadataEntry;
}

const CASES: Readonly<Record<string, Case>> = {
  expert_count: { entry: uint32(8), what: "a mixture of experts (MoE)", neutral: uint32(0) },
  "attention.max_alibi_bias": {
    entry: float32(8),
    what: "ALiBi positions",
    neutral: float32(0),
  },
  "rope.scaling.type": {
    entry: string("yarn"),
    what: "RoPE scaling: positions stretched",
    neutral: string("none"),
  },
  "rope.scaling.factor": { entry: float32(4), what: "RoPE scaling", neutral: float32(1) },
  "rope.scale_linear": { entry: float32(4), what: "RoPE scaling", neutral: float32(1) },
  "rope.dimension_count": { entry: uint32(8), what: "on a part of each head" },
  "rope.dimension_sections": { entry: numbers("int32", [4, 4]), what: "(RoPE) in sections" },
  attn_logit_softcapping: { entry: float32(50), what: "soft-capped", neutral: float32(0) },
  "attention.clamp_kqv": { entry: float32(8), what: "clamped", neutral: float32(0) },
  "attention.scale": { entry: float32(2), what: "of another scale", neutral: float32(0) },
};

describe.each(TINY_ARCHITECTURES)("%s:", (architecture) => {
  test.each(Object.entries(CASES))("%s is refused by name", async (key, { entry, ...rest }) => {
    const file = await tinyHeader({ architecture, type: "F32" });
    const name = `${architecture}.${key}`;
    const error = thrown(() => buildModel(edit(file, { metadata: { [name]: entry } })));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain(file.path);
    expect(error.message).toContain(`"${name}"`);
    expect(error.message).toContain(rest.what);
    if (rest.neutral === undefined) return;
    const plain = buildModel(edit(file, { metadata: { [name]: rest.neutral } }));
    expect(plain.plan).toEqual(buildModel(file).plan);
  });

  test.each(["feed_forward_length", "attention.head_count", "attention.head_count_kv"])(
    "a %s for each layer is refused",
    async (key) => {
      const file = await tinyHeader({ architecture, type: "F32" });
      const metadata = { [`${architecture}.${key}`]: numbers("int32", [4, 4, 2]) };
      const error = thrown(() => buildModel(edit(file, { metadata })));
      expect(error.code).toBe("UNSUPPORTED");
      expect(error.message).toContain(`"${architecture}.${key}": expected one number, found array`);
      expect(error.message).toContain("The model's layers differ in size.");
    },
  );

  test("the size of a head is no part of it, and the usual scale no other", async () => {
    const file = await tinyHeader({ architecture, type: "F32" });
    const { plan } = buildModel(file);
    const attention = plan.operations.find(({ op }) => op === "attention");
    const { headSize } = attention as { headSize: number };
    const metadata = {
      [`${architecture}.rope.dimension_count`]: uint32(headSize),
      [`${architecture}.attention.scale`]: float32(1 / Math.sqrt(headSize)),
    };
    expect(buildModel(edit(file, { metadata })).plan).toEqual(plan);
  });
});

describe.each(["bert", "nomic-bert", "qwen3"] as const)("%s:", (architecture) => {
  test("a window is refused, unless the context fits it", async () => {
    const file = await tinyHeader({ architecture, type: "F32" });
    const key = `${architecture}.attention.sliding_window`;
    const context = file.metadata.requireCount(`${architecture}.context_length`);
    const error = thrown(() => buildModel(edit(file, { metadata: { [key]: uint32(32) } })));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain(key);
    expect(error.message).toContain("sliding-window attention");
    for (const window of [0, context]) {
      const { plan } = buildModel(edit(file, { metadata: { [key]: uint32(window) } }));
      expect(plan).toEqual(buildModel(file).plan);
    }
  });
});

test.each([
  ["blk.1.ffn_gate_inp.weight", "a mixture of experts (MoE)"],
  ["blk.1.ffn_up_exps.weight", "a mixture of experts (MoE)"],
  ["rope_freqs.weight", "RoPE scaling by its own factors"],
  ["position_embd.weight", "learned positions"],
  ["dense_2.weight", "layers after pooling"],
  ["blk.0.attn_sinks.weight", "attention sinks"],
  ["blk.0.layer_out_norm_2.weight", "norms in other places"],
])("a tensor %s tells of what the model has", async (name, what) => {
  const file = await tinyHeader({ architecture: "qwen3", type: "F32" });
  const error = thrown(() => buildModel(edit(file, { tensors: { [name]: {} } })));
  expect(error.code).toBe("UNSUPPORTED");
  expect(error.message).toContain(`${name}. They mean that the model has ${what}. Without them`);
});
