import { fileError, quote } from "../gguf/message.ts";
import type { GgufFile } from "../gguf/types.ts";
import { bert } from "./bert.ts";
import { gemmaEmbedding } from "./gemma-embedding.ts";
import { nomicBert } from "./nomic-bert.ts";
import { qwen3 } from "./qwen3.ts";
import type { Architecture, ArchitectureOptions, Model } from "./types.ts";

/** Every architecture: a new one is a file of its own and a line here. */
const ARCHITECTURES: readonly Architecture[] = [gemmaEmbedding, bert, nomicBert, qwen3];

/** Values of `general.architecture` that `buildModel` takes. */
export const architectureNames: readonly string[] = ARCHITECTURES.map(({ name }) => name);

/**
 * The forward pass of a file's model, and what the rest of the house needs to know of it. Throws
 * `UNSUPPORTED` for what this version cannot run and `BAD_MODEL` for a file that contradicts
 * itself; the message names the file, the key or tensor, and what was expected.
 */
export function buildModel(file: GgufFile, options: ArchitectureOptions = {}): Model {
  if (file.tensors.size === 0) {
    throw fileError(
      "BAD_MODEL",
      file.path,
      "the file has no tensors at all, only a vocabulary: there are no weights to embed with. " +
        "Use a file with the model's weights; `ggufembed tokenize` can do without them.",
    );
  }
  const name = file.metadata.requireString("general.architecture");
  const architecture = ARCHITECTURES.find((candidate) => candidate.name === name);
  if (architecture === undefined) throw unknownArchitecture(file, name);
  return architecture.build(file, options);
}

function unknownArchitecture(file: GgufFile, name: string): Error {
  const runs = `${architectureNames.slice(0, -1).join(", ")} and ${architectureNames.at(-1)}`;
  const near = nearest(name);
  const nearby = near === undefined ? "" : `, of which ${near} is the nearest`;
  return fileError(
    "UNSUPPORTED",
    file.path,
    `the architecture is ${quote(name)}; this version runs ${runs}${nearby}. Use an embedding ` +
      "model of such an architecture.",
  );
}

/**
 * The architecture whose name shares most of its words with this one: `nomic-bert` for
 * `nomic-bert-moe`, `bert` for `eurobert`, `qwen3` for `qwen2`; `undefined` where none shares any.
 */
function nearest(name: string): string | undefined {
  let best: string | undefined;
  let most = 0;
  for (const candidate of architectureNames) {
    const words = candidate.match(/[a-z]+/g)!;
    const shared = words.filter((word) => name.toLowerCase().includes(word)).length;
    // Of names that share as much, the one with less that is not shared.
    const score = shared === 0 ? 0 : shared + shared / words.length;
    if (score > most) [best, most] = [candidate, score];
  }
  return best;
}
