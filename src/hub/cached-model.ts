import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { HubName } from "./name.ts";

/** A model in another program's cache. */
export interface CachedModel {
  /** As `parseName` takes it; the path where the cache does not tell where the file is from. */
  readonly name: string;
  /** Of its file, or of its first shard. */
  readonly path: string;
  /** Of all its files. */
  readonly paths: readonly string[];
  /** Of all of them together. */
  readonly bytes: number;
  /** Path in the repository, or what tells the quantisation in its place. */
  readonly file: string;
  readonly quantization?: string | undefined;
}

/** Another program's models, read and never written. What cannot be read is not there. */
export interface ModelFinder {
  readonly owner: string;
  /** How its owner is told to remove a model. */
  readonly removal: string;
  /** Models of the name's repository and revision. */
  find(name: HubName): Promise<readonly CachedModel[]>;
  list(): Promise<readonly CachedModel[]>;
  /** Path of the file with this content. */
  withContent(sha256: string, bytes: number): Promise<string | undefined>;
}

/** Bytes of a file, or undefined where there is none; follows links. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

/** Names in a folder, in a fixed order; none where it cannot be read. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

/** Files at any depth below a folder whose names end in `suffix`, as paths from it. */
export async function filesBelow(folder: string, suffix = ""): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name.toLowerCase().endsWith(suffix))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
