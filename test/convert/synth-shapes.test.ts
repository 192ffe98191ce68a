import { expect, test } from "bun:test";
import { join } from "node:path";
import { SYNTH_SHAPES, syntheticModel } from "../../src/convert/synth-shapes.ts";
import { writeGguf } from "../../src/gguf/writer.ts";
import { runNative, seededTexts } from "../engine/run-native.ts";
import { freshFolder } from "../fresh-folder.ts";
import { forward } from "../reference/forward.ts";
import { distance } from "../reference/golden.ts";
import { ReferenceTensors } from "../reference/tensors.ts";
import { makeTinyModel } from "../reference/tiny.ts";

const folder = freshFolder();

test.each(Object.entries(SYNTH_SHAPES))(
  "%s, made small, runs and is what the reference says",
  async (name, shape) => {
    const vocabulary = await makeTinyModel(
      { architecture: "bert", type: "F32" },
      join(folder.path, "vocabulary.gguf"),
    );
    const small = { ...shape, layerCount: 2, hiddenSize: 64, ffnSize: 96, contextLength: 64 };
    const heads = { headCount: 4, headCountKv: (4 * shape.headCountKv) / shape.headCount };
    const headSize = shape.architecture === "qwen3" ? 32 : 16;
    const model = syntheticModel(name, { ...small, ...heads, headSize }, vocabulary.metadata);
    const path = join(folder.path, "model.gguf");
    const file = await writeGguf(path, model.metadata, model.tensors);

    const texts = seededTexts(
      vocabulary.metadata.requireStrings("tokenizer.ggml.tokens").length,
      [1, 5, 17],
    );
    const tensors = new ReferenceTensors(file);
    const expected = texts.map((ids) => forward(tensors, ids).embedding);
    const found = await runNative(file, texts, { precision: "high" });
    expect(distance(found, expected).rms).toBeLessThan(2e-5);
    // All matrices are Q8_0, so that int8 kernels are what is timed.
    expect(distance(await runNative(file, texts), expected).rms).toBeGreaterThan(1e-4);
  },
);
