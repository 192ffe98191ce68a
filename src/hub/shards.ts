import { parseShardName, shardPaths } from "../gguf/shard-name.ts";
import type { CachedModel } from "./cached-model.ts";

/** A file in a cache, and of which commit it is, where the cache tells. */
export interface CachedFile extends Omit<CachedModel, "paths"> {
  readonly commit?: string | undefined;
}

/** Names of files with one in place of all shards of a model: the first, where none is missing. */
export function joinNames(files: readonly string[]): string[] {
  const all = new Set(files);
  return files.filter((file) => {
    const number = parseShardName(file)?.number ?? 1;
    return number === 1 && shardPaths(file).every((shard) => all.has(shard));
  });
}

/** The shards of a set that is not whole which are not there; undefined for a whole one. */
export function missingShards(file: string, files: readonly string[]): string[] | undefined {
  const missing = shardPaths(file).filter((shard) => !files.includes(shard));
  return missing.length === 0 ? undefined : missing;
}

/** The models of files: shards of one are one model, where none is missing or of another commit. */
export function joinFiles<F extends CachedFile>(files: readonly F[]): (F & CachedModel)[] {
  const byPath = new Map(files.map((each) => [each.path, each]));
  return joinNames([...byPath.keys()]).flatMap((firstPath) => {
    const shards = shardPaths(firstPath).map((path) => byPath.get(path)!);
    const [first] = shards as [F];
    if (shards.some(({ commit }) => commit !== first.commit)) return [];
    const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
    return [{ ...first, bytes, paths: shards.map(({ path }) => path) }];
  });
}
