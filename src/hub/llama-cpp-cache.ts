import { join } from "node:path";
import { sha256OfFile } from "../download/sha256.ts";
import { type CachedModel, type ModelFinder, namesIn, sizeOf } from "./cached-model.ts";
import { quantizationOf } from "./choose.ts";
import { type HubName, MAIN } from "./name.ts";
import { type CachedFile, joinFiles } from "./shards.ts";

/**
 * The cache of llama.cpp before `common/hf-cache.cpp`: `ORG_REPO_path_file.gguf`, every slash an
 * underscore, and an ETag beside it. A file appears by rename, once it is whole. It tells neither
 * its revision nor what its content should be.
 */
export function llamaCppCache(folder: string): ModelFinder {
  return {
    owner: "llama.cpp",
    removal: "delete the file",
    find: (name) => filesOf(folder, name),
    list: async () => {
      const names = (await namesIn(folder)).filter((name) => name.endsWith(".gguf"));
      return modelsAt(folder, names, "");
    },
    withContent: async (sha256, bytes) => {
      for (const name of await namesIn(folder)) {
        const path = join(folder, name);
        const candidate = name.endsWith(".gguf") && (await sizeOf(path)) === bytes;
        if (candidate && (await sha256OfFile(path)) === sha256) return path;
      }
      return undefined;
    },
  };
}

/** A file's path in the repository, as a name here has it. */
export const flatten = (path: string): string => path.replaceAll("/", "_");

async function filesOf(folder: string, { repo, revision }: HubName): Promise<CachedModel[]> {
  if (revision !== MAIN) return [];
  const prefix = `${flatten(repo)}_`;
  const names = (await namesIn(folder)).filter(
    (name) => name.startsWith(prefix) && name.endsWith(".gguf"),
  );
  return modelsAt(folder, names, prefix);
}

async function modelsAt(
  folder: string,
  names: readonly string[],
  prefix: string,
): Promise<CachedModel[]> {
  const files: CachedFile[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const bytes = await sizeOf(path);
    if (bytes === undefined) continue;
    const file = name.slice(prefix.length);
    files.push({ name: path, path, bytes, file, quantization: quantizationOf(file) });
  }
  return joinFiles(files);
}
