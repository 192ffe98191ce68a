/** Models in the shapes that people use, with made-up weights in Q8_0: what they cost is real. */
import { join } from "node:path";
import { ensureFile } from "../../scripts/cached.ts";
import { ensureMiniLM } from "../../scripts/models.ts";
import { CACHE } from "../../scripts/paths.ts";
import { writeShape } from "../../scripts/synth.ts";
import type { SynthShapeName } from "../../src/convert/synth-shapes.ts";
import { sharedPath } from "../../test/reference/golden.ts";

/** To be raised when the recipe changes. */
const RECIPE = 2;

interface Recipe {
  readonly shape: SynthShapeName;
  /** A file whose vocabulary it takes. */
  readonly vocabulary: () => Promise<string>;
}

const vocabularyOf = (name: string) => async () => sharedPath(`models/vocab/${name}.gguf`);
const wordPiece = () => ensureMiniLM();

const MODELS = {
  "bge-small-en-v1.5": { shape: "bge-small", vocabulary: wordPiece },
  // As many layers of the same sizes, and eight times the vocabulary.
  "multilingual-e5-small": {
    shape: "bge-small",
    vocabulary: vocabularyOf("ggml-vocab-nomic-bert-moe"),
  },
  "nomic-embed-text-v1.5": { shape: "nomic-embed-text", vocabulary: wordPiece },
  "Qwen3-Embedding-0.6B": {
    shape: "qwen3-embedding-0.6b",
    vocabulary: vocabularyOf("ggml-vocab-qwen2"),
  },
} as const satisfies Record<string, Recipe>;

export type ShapeName = keyof typeof MODELS;

/** Path of the file in the cache, made on first use. */
export function ensureShape(name: ShapeName): Promise<string> {
  const { shape, vocabulary } = MODELS[name];
  const path = join(CACHE, "models", `${name}-synth-v${RECIPE}.gguf`);
  return ensureFile(path, async () => writeShape(shape, await vocabulary(), path));
}
