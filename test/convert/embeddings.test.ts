import { expect, test } from "bun:test";
import { join } from "node:path";
import { convertFolder } from "../../src/convert/index.ts";
import { type Embedder, open, type QuantizeType } from "../../src/index.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { type Distance, distance, hasShared, readGolden, sharedNote } from "../reference/golden.ts";
import { hasWeights, WEIGHTS, weightsNote } from "./weights.ts";

const TIMEOUT_MS = 60_000;

/** The vectors that the real model gives after a conversion to `type`. */
async function embedWith(type: QuantizeType, texts: readonly string[]): Promise<Float32Array[]> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "model.gguf");
  await convertFolder(WEIGHTS, path, { type });
  await using model: Embedder = await open(path);
  const results = await model.embed(texts);
  return results.map(({ embedding }) => embedding);
}

const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

test.skipIf(!hasWeights)(
  `own F32 conversion: the similarities that the model's authors publish${weightsNote}`,
  async () => {
    const [weather, sunny, stadium] = await embedWith("F32", [
      "The weather is lovely today.",
      "It's so sunny outside!",
      "He drove to the stadium.",
    ]);
    expect(cosine(weather!, sunny!)).toBeCloseTo(0.666, 3);
    expect(cosine(weather!, stadium!)).toBeCloseTo(0.1046, 3);
  },
  TIMEOUT_MS,
);

/**
 * Against sentence-transformers in float64 on the same weights. Q8_0: 5 % above llama.cpp's rms and
 * half above its maximum; the others: somewhat above what the format itself costs.
 */
const BOUNDS: readonly (readonly [QuantizeType, Distance])[] = [
  ["Q8_0", { rms: 0.0019, max: 0.0165 }],
  ["F32", { rms: 1e-5, max: 1e-4 }],
  ["F16", { rms: 6e-5, max: 4e-4 }],
  ["BF16", { rms: 4e-4, max: 3e-3 }],
];

test.skipIf(!hasWeights || !hasShared).each(BOUNDS)(
  `own %s conversion: within the bounds of the reference${weightsNote || sharedNote}`,
  async (type, bounds) => {
    const golden = readGolden("all-minilm-l6-v2");
    const vectors = await embedWith(
      type,
      golden.map(({ text }) => text),
    );
    const found = distance(
      vectors,
      golden.map(({ embedding }) => embedding),
    );
    expect(found.rms).toBeLessThanOrEqual(bounds.rms);
    expect(found.max).toBeLessThanOrEqual(bounds.max);
  },
  TIMEOUT_MS,
);
