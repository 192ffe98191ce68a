import { describe, expect, test } from "bun:test";
import { buildModel } from "../../src/arch/index.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { forward } from "./forward.ts";
import { distance, hasShared, readGolden, sharedNote, sharedPath } from "./golden.ts";
import { interpret } from "./interpret.ts";
import { ReferenceTensors } from "./tensors.ts";

/** Goldens are rounded to float32, which is about 1e-8 at their size. */
const RMS_MAX = 1e-7;

interface Case {
  readonly name: string;
  readonly model: string;
  /** Plain loops take too long for more. The reach of mini models is 8. */
  readonly tokensMax: number;
}

const CASES: readonly Case[] = [
  { name: "mini-Q8_0", model: "models/mini-Q8_0.gguf", tokensMax: 16 },
  { name: "mini-F16", model: "models/mini-F16.gguf", tokensMax: 9 },
  { name: "mini-BF16", model: "models/mini-BF16.gguf", tokensMax: 9 },
  { name: "bert-mean", model: "models/arch/bert-mean.gguf", tokensMax: 50 },
  { name: "bert-cls", model: "models/arch/bert-cls.gguf", tokensMax: 50 },
  { name: "xlmr-cls", model: "models/arch/xlmr-cls.gguf", tokensMax: 50 },
  { name: "nomic-bert", model: "models/arch/nomic-bert.gguf", tokensMax: 50 },
  { name: "qwen3-embed", model: "models/arch/qwen3-embed.gguf", tokensMax: 50 },
];

describe("embeddings by the models' own reference implementations", () => {
  for (const { name, model, tokensMax } of CASES) {
    const title = `${name}: forward pass and plan agree${sharedNote}`;
    test.skipIf(!hasShared)(title, async () => {
      const golden = readGolden(name).filter(({ ids }) => ids.length <= tokensMax);
      expect(golden.length).toBeGreaterThan(3);
      const expected = golden.map(({ embedding }) => embedding);
      const file = await readGguf(sharedPath(model));
      const tensors = new ReferenceTensors(file);

      const byForward = golden.map(({ ids }) => forward(tensors, ids).embedding);
      expect(distance(byForward, expected).rms).toBeLessThan(RMS_MAX);

      const texts = golden.map(({ ids }) => ids);
      const byPlan = interpret(buildModel(file).plan, tensors, texts);
      expect(distance(byPlan, expected).rms).toBeLessThan(RMS_MAX);
    });
  }
});
