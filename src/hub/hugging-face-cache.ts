import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { type CachedModel, filesBelow, type ModelFinder, namesIn, sizeOf } from "./cached-model.ts";
import { quantizationOf } from "./choose.ts";
import { formatName, type HubName, isCommit, MAIN } from "./name.ts";
import { type CachedFile, joinFiles } from "./shards.ts";

/**
 * The hub's own cache, as the guide "Understand caching" of `huggingface_hub` draws it:
 *
 *     models--ORG--NAME/refs/REVISION                    the commit
 *     models--ORG--NAME/snapshots/COMMIT/path/file.gguf  → ../../../blobs/SHA256
 *
 * The blob of a large file is named by the SHA-256 of its content. llama.cpp has the same layout
 * since `common/hf-cache.cpp`.
 */
export function huggingFaceCache(folder: string, owner: string, removal: string): ModelFinder {
  return {
    owner,
    removal,
    find: ({ repo, revision }) => filesOf(folder, repo, revision),
    list: () => listAll(folder),
    withContent: async (sha256, bytes) => {
      for (const name of await repositories(folder)) {
        const blob = join(folder, name, "blobs", sha256);
        if ((await sizeOf(blob)) === bytes) return blob;
      }
      return undefined;
    },
  };
}

const PREFIX = "models--";

async function repositories(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => name.startsWith(PREFIX));
}

async function filesOf(folder: string, repo: string, revision: string): Promise<CachedModel[]> {
  const root = join(folder, `${PREFIX}${repo.replace("/", "--")}`);
  const commit = isCommit(revision) ? revision : await commitOf(root, revision);
  return commit === undefined ? [] : filesIn(root, commit, { kind: "hub", repo, revision });
}

async function commitOf(root: string, revision: string): Promise<string | undefined> {
  const text = await readFile(join(root, "refs", revision), "utf8").catch(() => "");
  return isCommit(text.trim()) ? text.trim() : undefined;
}

async function filesIn(root: string, commit: string, name: HubName): Promise<CachedModel[]> {
  const snapshot = join(root, "snapshots", commit);
  const files: CachedFile[] = [];
  for (const file of await filesBelow(snapshot, ".gguf")) {
    const path = join(snapshot, file);
    const bytes = await sizeOf(path);
    if (bytes === undefined) continue;
    const quantization = quantizationOf(file);
    files.push({ name: formatName({ ...name, file }), path, bytes, file, quantization });
  }
  return joinFiles(files);
}

/** Every file once: under the commit that `main` means, else under any. */
async function listAll(folder: string): Promise<CachedModel[]> {
  const models: CachedModel[] = [];
  for (const name of await repositories(folder)) {
    const root = join(folder, name);
    const repo = name.slice(PREFIX.length).replace("--", "/");
    const main = await commitOf(root, MAIN);
    const commits = (await namesIn(join(root, "snapshots"))).filter(isCommit);
    const seen = new Set<string>();
    for (const commit of commits.sort((a, b) => Number(b === main) - Number(a === main))) {
      const revision = commit === main ? MAIN : commit;
      for (const model of await filesIn(root, commit, { kind: "hub", repo, revision })) {
        const content = await realpath(model.path);
        if (!seen.has(content)) models.push(model);
        seen.add(content);
      }
    }
  }
  return models;
}
