import { expect, test } from "bun:test";
import { readGguf } from "../../src/gguf/reader.ts";
import { open } from "../../src/index.ts";
import { FIGURES, measure } from "../docs/figures.ts";
import { forward } from "../reference/forward.ts";
import { distance, hasShared, readGolden, sharedNote, sharedPath } from "../reference/golden.ts";
import { ReferenceTensors } from "../reference/tensors.ts";

/** Over all components: no rms above llama.cpp's on the same file. */
const BARS: Readonly<Record<string, { readonly rms: number; readonly max: number }>> = {
  "embeddinggemma-synth": { rms: 0.00135, max: 0.0083 },
  "embeddinggemma-synth high": { rms: 1e-5, max: 6e-5 },
  "all-minilm-l6-v2-Q8_0": { rms: 0.00183, max: 0.0132 },
  "mini-Q8_0": { rms: 0.00118, max: 0.0075 },
  "mini-Q8_0 high": { rms: 1e-5, max: 6e-5 },
  "mini-Q4_0": { rms: 0.00123, max: 0.0059 },
  "mini-Q4_1": { rms: 0.00134, max: 0.0071 },
  "mini-Q5_0": { rms: 0.00131, max: 0.008 },
  "mini-Q5_1": { rms: 0.0015, max: 0.009 },
  "mini-IQ4_NL": { rms: 0.00126, max: 0.0069 },
  "mini-Q2_K": { rms: 0.00156, max: 0.0097 },
  "mini-Q3_K_S": { rms: 0.00129, max: 0.0064 },
  "mini-Q4_K_S": { rms: 0.00133, max: 0.0088 },
  "mini-Q5_K_S": { rms: 0.00139, max: 0.007 },
  "mini-Q6_K": { rms: 0.00152, max: 0.0079 },
  "mini-IQ4_XS": { rms: 0.00133, max: 0.0065 },
  "mini-Q4_0 high": { rms: 1e-5, max: 6e-5 },
  "mini-Q4_1 high": { rms: 1e-5, max: 6e-5 },
  "mini-Q5_0 high": { rms: 1e-5, max: 6e-5 },
  "mini-Q5_1 high": { rms: 1e-5, max: 6e-5 },
  "mini-IQ4_NL high": { rms: 1e-5, max: 6e-5 },
  "mini-Q2_K high": { rms: 1e-5, max: 6e-5 },
  "mini-Q3_K_S high": { rms: 1e-5, max: 6e-5 },
  "mini-Q4_K_S high": { rms: 1e-5, max: 6e-5 },
  "mini-Q5_K_S high": { rms: 1e-5, max: 6e-5 },
  "mini-Q6_K high": { rms: 1e-5, max: 6e-5 },
  "mini-IQ4_XS high": { rms: 1e-5, max: 6e-5 },
  "mini-F16": { rms: 0.00006, max: 0.00045 },
  "mini-BF16": { rms: 0.00034, max: 0.0024 },
  "bert-mean": { rms: 5e-6, max: 2e-5 },
  "bert-cls": { rms: 5e-6, max: 2e-5 },
  "xlmr-cls": { rms: 5e-6, max: 2e-5 },
  "nomic-bert": { rms: 2e-6, max: 1e-5 },
  "qwen3-embed": { rms: 2e-6, max: 1e-5 },
};

for (const [name, bar] of Object.entries(BARS)) {
  test.skipIf(!hasShared)(
    `${name} is as near to the reference as asked${sharedNote}`,
    async () => {
      const { rms, max } = await measure(FIGURES.find((figure) => figure.name === name)!);
      expect(rms).toBeLessThanOrEqual(bar.rms);
      expect(max).toBeLessThanOrEqual(bar.max);
    },
    120_000,
  );
}

// The golden vectors are of the float32 weights: their rounding to Q8_0 would hide everything else.
test.skipIf(!hasShared)(
  `all-minilm-l6-v2-Q8_0 in high precision is the forward pass on its own weights${sharedNote}`,
  async () => {
    const path = sharedPath("models/all-minilm-l6-v2-Q8_0.gguf");
    const tensors = new ReferenceTensors(await readGguf(path));
    const lines = readGolden("all-minilm-l6-v2").filter(({ ids }) => ids.length <= 12);
    const expected = lines.map(({ ids }) => forward(tensors, ids).embedding);
    await using embedder = await open(path, { precision: "high" });
    const results = await embedder.embed(lines.map(({ text }) => text));
    const { rms, max } = distance(
      results.map(({ embedding }) => embedding),
      expected,
    );
    expect(lines.length).toBeGreaterThan(10);
    expect(rms).toBeLessThanOrEqual(1e-5);
    expect(max).toBeLessThanOrEqual(6e-5);
  },
  120_000,
);
