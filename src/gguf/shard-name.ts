import { LIMITS } from "./limits.ts";

/** How llama.cpp's gguf-split names the files of one model: `NAME-00001-of-00003.gguf`. */
const SHARD = /^(.*-)(\d{5})(-of-(\d{5})\.gguf)$/is;

/** What a file's name says of its place in a split model. */
export interface ShardName {
  /** From 1. */
  readonly number: number;
  readonly count: number;
  /** The name or path of another shard, by its number from 1. */
  readonly at: (number: number) => string;
}

/** Undefined for the name or path of a file that is none of several. */
export function parseShardName(path: string): ShardName | undefined {
  const [, head, digits, tail, total] = SHARD.exec(path) ?? [];
  const [number, count] = [Number(digits), Number(total)];
  if (!(number >= 1 && number <= count && count <= LIMITS.shards)) return undefined;
  return { number, count, at: (other) => `${head}${String(other).padStart(5, "0")}${tail}` };
}

/** The files that belong together by their names: all shards in order, or that file alone. */
export function shardPaths(path: string): string[] {
  const name = parseShardName(path);
  if (name === undefined) return [path];
  return Array.from({ length: name.count }, (_, i) => name.at(i + 1));
}
