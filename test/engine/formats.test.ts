/** Block formats: what the engine makes of matrices in each, on small models made for the test. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { buildModel } from "../../src/arch/index.ts";
import type { Precision } from "../../src/arch/plan.ts";
import { freshFolder } from "../fresh-folder.ts";
import { BLOCK_TYPES } from "../reference/blocks.ts";
import { forward } from "../reference/forward.ts";
import { distance } from "../reference/golden.ts";
import { interpret } from "../reference/interpret.ts";
import { ReferenceTensors } from "../reference/tensors.ts";
import { makeTinyModel, WIDE_SHAPE } from "../reference/tiny.ts";
import { runNative, seededTexts } from "./run-native.ts";

const folder = freshFolder();
const LENGTHS = [1, 2, 1, 5, 3, 20, 2];

for (const type of BLOCK_TYPES) {
  test(`${type}: the engine multiplies with what the file says`, async () => {
    const options = { architecture: "gemma-embedding", type, shape: WIDE_SHAPE } as const;
    const file = await makeTinyModel(options, join(folder.path, "tiny.gguf"));
    const tensors = new ReferenceTensors(file);
    const texts = seededTexts(buildModel(file).config.vocabSize, LENGTHS);
    const exact = texts.map((ids) => forward(tensors, ids).embedding);
    // What int8 activations cost, and 16 bits.
    const costOf = (precision: Precision) => {
      const { plan } = buildModel(file, { precision });
      return distance(interpret(plan, tensors, texts, { int8: true }), exact).rms;
    };
    const errorOf = async (precision: Precision) =>
      distance(await runNative(file, texts, { precision }), exact).rms;
    expect(await errorOf("default")).toBeLessThan(2 * costOf("default"));
    expect(await errorOf("high")).toBeLessThan(1.5 * costOf("high"));
  });
}
