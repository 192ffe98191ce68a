import { describe, expect, test } from "bun:test";
import type { ModelConfig } from "../../src/arch/types.ts";
import type { Embedder, EmbedOptions, EmbedResult } from "../../src/types.ts";
import { verifyModel } from "../../src/verify/index.ts";

const MINILM: ModelConfig = {
  architecture: "bert",
  name: "all-MiniLM-L6-v2",
  contextLength: 512,
  hiddenSize: 384,
  embeddingSize: 384,
  layerCount: 6,
  vocabSize: 30522,
  weightType: "F32",
  pooling: "mean",
  precision: "default",
  normalize: true,
  warnings: [],
};

const GEMMA: ModelConfig = {
  ...MINILM,
  architecture: "gemma-embedding",
  name: "Embeddinggemma 300M",
  hiddenSize: 768,
  layerCount: 24,
  vocabSize: 262144,
  weightType: "Q8_0",
};

/** The part of a text that tells it apart, and its similarity to the first of them. */
const MINILM_FIGURES = { lovely: 1, sunny: 0.666, stadium: 0.1046 };
const GEMMA_FIGURES = {
  "Which planet": 1,
  Venus: 0.3011,
  Mars: 0.6359,
  Jupiter: 0.493,
  Saturn: 0.4889,
};

const LAYERS = [{ layer: 0, rms: 1.5, digest: "0123456789abcdef" }];

/** Gives unit vectors in the plane whose similarity to the first text's is the one asked for. */
function embedderOf(config: ModelConfig, similarities: Readonly<Record<string, number>>) {
  const calls: [text: string, options: EmbedOptions | undefined][] = [];
  const embed = async (text: string, options?: EmbedOptions): Promise<EmbedResult> => {
    calls.push([text, options]);
    const known = Object.entries(similarities).find(([part]) => text.includes(part));
    if (known === undefined) throw new Error(`a text that nobody published: ${text}`);
    const cosine = known[1];
    const embedding = Float32Array.of(cosine, Math.sqrt(1 - cosine ** 2));
    return { embedding, scale: 1, tokens: 1, truncated: 0 };
  };
  const fingerprinted: string[] = [];
  const fingerprintLayers = async (text: string) => {
    fingerprinted.push(text);
    return LAYERS;
  };
  const embedder = { config, embed, fingerprintLayers } as unknown as Embedder;
  return { embedder, calls, fingerprinted };
}

describe("a known model", () => {
  test("passes with the figures that its authors publish", async () => {
    for (const [config, figures, name] of [
      [MINILM, MINILM_FIGURES, "all-MiniLM-L6-v2"],
      [GEMMA, GEMMA_FIGURES, "EmbeddingGemma 300M"],
    ] as const) {
      const report = await verifyModel(embedderOf(config, figures).embedder);
      expect(report.status).toBe("pass");
      expect(report.model).toBe(name);
      expect(report.source).toContain("model card");
      expect(report.layers).toEqual(LAYERS);
      const published = report.figures.map(({ similarity }) => similarity);
      expect(published).toEqual(Object.values(figures).slice(1));
      for (const { measured, similarity } of report.figures) {
        expect(measured).toBeCloseTo(similarity, 6);
      }
    }
  });

  test("is asked with the prompts of its card, and normalised", async () => {
    const { embedder, calls } = embedderOf(GEMMA, GEMMA_FIGURES);
    await verifyModel(embedder);
    const tasks = calls.map(([text, options]) => [text.split(" ")[0], options?.task]);
    expect(tasks).toEqual([
      ["Which", "query"],
      ["Venus", "document"],
      ["Mars,", "document"],
      ["Jupiter,", "document"],
      ["Saturn,", "document"],
    ]);
    expect(calls.every(([, options]) => options?.normalize === true)).toBe(true);
  });

  test("fails when one figure is off, and says which", async () => {
    const figures = { ...GEMMA_FIGURES, Jupiter: 0.52 };
    const report = await verifyModel(embedderOf(GEMMA, figures).embedder);
    expect(report.status).toBe("fail");
    expect(report.figures.map(({ passed }) => passed)).toEqual([true, true, false, true]);
    expect(report.figures[2]!.measured).toBeCloseTo(0.52, 6);
  });

  test("fails when a figure is not a number", async () => {
    const figures = { ...MINILM_FIGURES, sunny: Number.NaN };
    const report = await verifyModel(embedderOf(MINILM, figures).embedder);
    expect(report.figures.map(({ passed }) => passed)).toEqual([false, true]);
    expect(report.status).toBe("fail");
  });

  test("is held to its precision", async () => {
    const figures = { ...MINILM_FIGURES, sunny: 0.6645 };
    const statuses = (["F32", "F16", "BF16", "Q8_0", "Q4_K"] as const).map(async (weightType) => {
      const { embedder } = embedderOf({ ...MINILM, weightType }, figures);
      return (await verifyModel(embedder)).status;
    });
    expect(await Promise.all(statuses)).toEqual(["fail", "fail", "pass", "pass", "pass"]);
  });
});

describe("a model without published figures", () => {
  const strangers: Readonly<Record<string, ModelConfig>> = {
    "of another name": { ...GEMMA, name: "my fine-tune of EmbeddingGemma 300M" },
    "of made-up weights": { ...GEMMA, name: "synthetic EmbeddingGemma shape" },
    "of another shape": { ...MINILM, layerCount: 12 },
    "with vectors of tokens": { ...MINILM, pooling: "none" },
  };
  for (const [what, config] of Object.entries(strangers)) {
    test(`${what} is unknown, and gets its fingerprint all the same`, async () => {
      const { embedder, calls, fingerprinted } = embedderOf(config, {});
      const { layersText, ...report } = await verifyModel(embedder);
      expect(report).toEqual({ status: "unknown", figures: [], layers: LAYERS });
      expect(fingerprinted).toEqual([layersText]);
      expect(calls).toEqual([]);
    });
  }
});
