import type { CachedModel, ModelFinder } from "./cached-model.ts";
import { firstChoice, tryChoose } from "./choose.ts";
import { huggingFaceFolder, llamaCppFolder, ollamaFolder } from "./folders.ts";
import { huggingFaceCache } from "./hugging-face-cache.ts";
import { flatten, llamaCppCache } from "./llama-cpp-cache.ts";
import type { HubName } from "./name.ts";
import { ollamaCache } from "./ollama-cache.ts";
import type { Surroundings } from "./surroundings.ts";

/** Those of other programs, in the order in which they are asked. */
export function otherCaches(around: Surroundings): ModelFinder[] {
  const huggingFace = huggingFaceFolder(around);
  const llamaCpp = llamaCppFolder(around);
  const caches = [huggingFaceCache(huggingFace, "Hugging Face", "use hf cache")];
  // Where the two are one folder, it is that of Hugging Face.
  if (llamaCpp !== huggingFace) {
    caches.push(huggingFaceCache(llamaCpp, "llama.cpp", "delete the file"));
  }
  return [...caches, llamaCppCache(llamaCpp), ollamaCache(ollamaFolder(around))];
}

export interface Choice {
  /** Whether what is here may do where the hub might have what the name means first. */
  readonly lenient: boolean;
}

/** The file among these that a name means. */
export function findAmong<M extends CachedModel>(
  models: readonly M[],
  { file, tag }: HubName,
  { lenient }: Choice,
): M | undefined {
  const files = models.map((model) => model.file);
  const chosen =
    file ?? (tag === undefined && !lenient ? firstChoice(files) : tryChoose(files, tag));
  return models.find((model) => model.file === chosen);
}

/** Whose file it is, and how its owner is told to remove it. */
export interface ForeignModel extends CachedModel, Pick<ModelFinder, "owner" | "removal"> {}

/** Another program's file that a name means. */
export async function findElsewhere(
  around: Surroundings,
  name: HubName,
  choice: Choice,
): Promise<ForeignModel | undefined> {
  for (const cache of otherCaches(around)) {
    const models = await cache.find(name);
    // llama.cpp's names of files have lost their folders.
    const flat = name.file === undefined ? name : { ...name, file: flatten(name.file) };
    const found = findAmong(models, name, choice) ?? findAmong(models, flat, choice);
    if (found !== undefined) return { ...found, owner: cache.owner, removal: cache.removal };
  }
  return undefined;
}

/** Another program's file with this content. */
export async function findContent(
  around: Surroundings,
  sha256: string,
  bytes: number,
): Promise<string | undefined> {
  for (const cache of otherCaches(around)) {
    const path = await cache.withContent(sha256, bytes);
    if (path !== undefined) return path;
  }
  return undefined;
}
