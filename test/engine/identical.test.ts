import { expect, test } from "bun:test";
import { join } from "node:path";
import { buildModel } from "../../src/arch/index.ts";
import type { Precision } from "../../src/arch/plan.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { VARIANTS } from "../../src/native/abi.ts";
import { freshFolder } from "../fresh-folder.ts";
import { makeTinyModel, type TinyOptions, WIDE_SHAPE } from "../reference/tiny.ts";
import { batchOf, bitsOf, cut, loadNative, seededTexts, variants } from "./run-native.ts";

const folder = freshFolder();
const LENGTHS = [1, 30, 2, 2, 64, 7, 16, 17, 33, 3, 3, 48, 5, 1, 20, 11];

interface Case extends TinyOptions {
  readonly precision?: Precision;
}

const MODELS: Readonly<Record<string, Case>> = {
  "gemma-embedding Q8_0": { architecture: "gemma-embedding", type: "Q8_0" },
  "gemma-embedding Q8_0 high": {
    architecture: "gemma-embedding",
    type: "Q8_0",
    precision: "high",
  },
  "gemma-embedding mixed": { architecture: "gemma-embedding", type: "mixed" },
  "gemma-embedding in all block formats": {
    architecture: "gemma-embedding",
    type: "blocks",
    shape: WIDE_SHAPE,
  },
  "gemma-embedding in all block formats, high": {
    architecture: "gemma-embedding",
    type: "blocks",
    shape: WIDE_SHAPE,
    precision: "high",
  },
  "bert Q8_0": { architecture: "bert", type: "Q8_0" },
  "bert Q8_0 high": { architecture: "bert", type: "Q8_0", precision: "high" },
  "bert F16": { architecture: "bert", type: "F16" },
  "nomic-bert Q8_0": { architecture: "nomic-bert", type: "Q8_0" },
  "nomic-bert F16": { architecture: "nomic-bert", type: "F16" },
  "qwen3 Q8_0": { architecture: "qwen3", type: "Q8_0" },
  "qwen3 Q8_0 high": { architecture: "qwen3", type: "Q8_0", precision: "high" },
  "qwen3 mixed": { architecture: "qwen3", type: "mixed" },
};

for (const [name, { precision, ...options }] of Object.entries(MODELS)) {
  test(`${name}: same bits alone and in any batch, on any threads`, async () => {
    const file = await makeTinyModel(options, join(folder.path, "tiny.gguf"));
    const texts = seededTexts(buildModel(file).config.vocabSize, LENGTHS);
    const alone = await embedApart(file, texts, precision);
    for (const threads of [1, 2, 3, 5]) {
      for (const parallelism of ["texts", "matmul", "auto"] as const) {
        const engine = await loadNative(file, { threads, parallelism, precision });
        for (const order of [texts, texts.toReversed(), texts.slice(3, 8)]) {
          const batch = batchOf(file, order);
          const found = bitsOf(cut(await engine.embed(batch), batch.dimensions));
          const expected = order.map((text) => alone[texts.indexOf(text)]);
          expect(found).toEqual(expected as string[]);
        }
        await engine.unload();
      }
    }
  });

  test(`${name}: same bits on ${variants.map((i) => VARIANTS[i]).join(" and ")}`, async () => {
    const file = await makeTinyModel(options, join(folder.path, "tiny.gguf"));
    const texts = seededTexts(buildModel(file).config.vocabSize, LENGTHS);
    const batch = batchOf(file, texts);
    const results = new Set<string>();
    for (const variant of variants) {
      const engine = await loadNative(file, { variant, precision });
      results.add(bitsOf([await engine.embed(batch)]).join());
      await engine.unload();
    }
    expect(results.size).toBe(1);
  });
}

async function embedApart(
  file: GgufFile,
  texts: readonly number[][],
  precision?: Precision,
): Promise<string[]> {
  const engine = await loadNative(file, { threads: 1, precision });
  const found: Float32Array[] = [];
  for (const text of texts) found.push(await engine.embed(batchOf(file, [text])));
  await engine.unload();
  return bitsOf(found);
}
