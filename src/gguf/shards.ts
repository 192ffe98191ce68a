import { stat } from "node:fs/promises";
import { fileError, quote } from "./message.ts";
import { parseShardName, shardPaths } from "./shard-name.ts";
import type { GgufFile, Metadata, MetadataEntry, TensorInfo } from "./types.ts";

/**
 * What llama.cpp's gguf-split says of a shard, in each: its number from 0, how many there are, and
 * how many tensors they have together. The other keys are in the first alone.
 * Source: `LLM_KV_SPLIT_*` of llama.cpp.
 */
const KEYS = { no: "split.no", count: "split.count", tensors: "split.tensors.count" } as const;

/** Missing shards that a message names. */
const NAMED_MAX = 5;
const FETCH = "Fetch all shards again, from one place.";

/** Whether a file holds a part of a model. One that was put together again states 0 shards. */
export function isShard({ metadata }: GgufFile): boolean {
  return (metadata.getCount(KEYS.count) ?? 0) > 1;
}

/** Whether a file is a part of a model, or was put together of such. */
export function wasSplit({ metadata }: GgufFile): boolean {
  return metadata.has(KEYS.count);
}

/** The metadata of a model as they were before it was split. */
export function withoutSplitKeys({ entries }: Metadata): Map<string, MetadataEntry> {
  const whole = new Map(entries);
  for (const key of Object.values(KEYS)) whole.delete(key);
  return whole;
}

/**
 * The model that one of its shards belongs to, whichever that is: the metadata of the first, the
 * tensors of all. They lie in one folder under the names that gguf-split gives them.
 *
 * Throws `FILE_NOT_FOUND` where one is missing, `BAD_MODEL` where they do not belong together, and
 * as `read` does.
 */
export async function joinShards(
  known: GgufFile,
  read: (path: string) => Promise<GgufFile>,
): Promise<GgufFile> {
  const paths = pathsOf(known);
  await checkPresence(paths);
  const shards: GgufFile[] = [];
  for (const path of paths) {
    const shard = path === known.path ? known : await read(path);
    checkPlace(shard, shards.length, paths.length);
    shards.push(shard);
  }
  const [first] = shards as [GgufFile];
  const fileSize = shards.reduce((sum, shard) => sum + shard.fileSize, 0);
  return { ...first, paths, fileSize, tensors: joinTensors(shards) };
}

/** By their names alone: nothing else leads from one to the others. */
function pathsOf({ path, metadata }: GgufFile): string[] {
  const count = metadata.requireCount(KEYS.count);
  const name = parseShardName(path);
  if (name?.count === count) return shardPaths(path);
  const number = metadata.requireCount(KEYS.no) + 1;
  const ending = (of: number) => `-${padded(of)}-of-${padded(count)}.gguf`;
  const place = `this is shard ${number} of ${count} of a split model`;
  const advice = "Give all of them the names that they had, which end in";
  const endings = `${ending(1)} to ${ending(count)}`;
  const message = `${place}, and its name does not say so. ${advice} ${endings}.`;
  throw fileError("BAD_MODEL", path, message);
}

const padded = (number: number) => String(number).padStart(5, "0");

/** Tells of all that are missing at once. */
async function checkPresence(paths: readonly string[]): Promise<void> {
  const isMissing = async (path: string) => {
    const code = await stat(path).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    return code === "ENOENT";
  };
  const flags = await Promise.all(paths.map(isMissing));
  const missing = paths.filter((_, i) => flags[i]);
  const [path] = missing;
  if (path === undefined) return;
  const numbers = missing.slice(0, NAMED_MAX).map((each) => paths.indexOf(each) + 1);
  const more = missing.length > NAMED_MAX ? `, … (${missing.length} in all)` : "";
  const found = `there is no number ${numbers.join(", ")}${more}`;
  const which = `the model is split into ${paths.length} files, and ${found}`;
  throw fileError("FILE_NOT_FOUND", path, `${which}. Put all of them into one folder.`);
}

/** Whether a file is the shard that its name says, by what it says itself. */
function checkPlace({ path, metadata }: GgufFile, index: number, count: number): void {
  const expected = `its name says shard ${index + 1} of ${count}`;
  const ownCount = metadata.getCount(KEYS.count) ?? 0;
  if (ownCount !== count) {
    const found = ownCount > 1 ? `${KEYS.count} is ${ownCount}` : "the file is no shard";
    throw fileError("BAD_MODEL", path, `${expected}, but ${found}. ${FETCH}`);
  }
  const number = metadata.requireCount(KEYS.no) + 1;
  if (number === index + 1) return;
  const found = `${KEYS.no} is ${number - 1}, which makes it shard ${number}`;
  throw fileError("BAD_MODEL", path, `${expected}, but ${found}. It was renamed. ${FETCH}`);
}

/** The tensors of all shards, each with the number of its file. */
function joinTensors(shards: readonly GgufFile[]): Map<string, TensorInfo> {
  const [first] = shards as [GgufFile];
  const expected = first.metadata.requireCount(KEYS.tensors);
  const tensors = new Map<string, TensorInfo>();
  for (const [file, shard] of shards.entries()) {
    const stated = shard.metadata.requireCount(KEYS.tensors);
    if (stated !== expected) {
      const other = `${stated}, but ${expected} in ${first.path}`;
      const message = `${KEYS.tensors} is ${other}: they are shards of different models`;
      throw fileError("BAD_MODEL", shard.path, `${message}. ${FETCH}`);
    }
    for (const [name, tensor] of shard.tensors) {
      const twin = tensors.get(name);
      if (twin !== undefined) {
        const message = `tensor ${quote(name)} is in ${shards[twin.file]!.path} too`;
        throw fileError(
          "BAD_MODEL",
          shard.path,
          `${message}: shards of different models. ${FETCH}`,
        );
      }
      tensors.set(name, { ...tensor, file });
    }
  }
  if (tensors.size === expected) return tensors;
  const found = `its ${shards.length} shards have ${tensors.size} tensors`;
  const message = `${found}, where ${KEYS.tensors} says ${expected}`;
  throw fileError("BAD_MODEL", first.path, `${message}: shards of different models. ${FETCH}`);
}
