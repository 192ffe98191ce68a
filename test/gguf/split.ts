import { readGguf } from "../../src/gguf/reader.ts";
import { parseShardName } from "../../src/gguf/shard-name.ts";
import type { MetadataEntry, TensorInfo } from "../../src/gguf/types.ts";
import * as value from "../../src/gguf/values.ts";
import { type TensorSource, writeGguf } from "../../src/gguf/writer.ts";

/** Changes the metadata of a shard, by its number from 1. */
export type EditShard = (number: number, metadata: Map<string, MetadataEntry>) => void;

/** The path of a shard, by its number from 1. */
export function shardPath(prefix: string, number: number, count: number): string {
  return parseShardName(`${prefix}-00001-of-${String(count).padStart(5, "0")}.gguf`)!.at(number);
}

/**
 * Splits a file as llama.cpp's gguf-split does, so many tensors to each shard; gives their paths.
 * `test/fixtures/split.json` holds it to that tool's bytes.
 */
export async function splitModel(
  path: string,
  prefix: string,
  sizes: readonly number[],
  edit: EditShard = () => {},
): Promise<string[]> {
  const source = await readGguf(path);
  const tensors = [...source.tensors.values()];
  const paths: string[] = [];
  for (const [i, size] of sizes.entries()) {
    const metadata = new Map(i === 0 ? source.metadata.entries : []);
    metadata.set("split.no", value.uint16(i));
    metadata.set("split.tensors.count", value.int32(tensors.length));
    metadata.set("split.count", value.uint16(sizes.length));
    edit(i + 1, metadata);
    const start = sizes.slice(0, i).reduce((sum, n) => sum + n, 0);
    const own = tensors.slice(start, start + size).map((tensor) => copyOf(path, tensor));
    const shard = shardPath(prefix, i + 1, sizes.length);
    await writeGguf(shard, metadata, own);
    if (own.length === 0) await pad(shard);
    paths.push(shard);
  }
  return paths;
}

/** To the alignment, as llama.cpp does even where no tensor follows. */
async function pad(path: string): Promise<void> {
  const bytes = await Bun.file(path).bytes();
  await Bun.write(path, Buffer.concat([bytes, new Uint8Array(-bytes.length & 31)]));
}

function copyOf(path: string, { name, type, shape, offset, byteLength }: TensorInfo): TensorSource {
  const bytes = () =>
    Bun.file(path)
      .slice(offset, offset + byteLength)
      .bytes();
  return {
    name,
    type,
    shape,
    async *chunks() {
      yield await bytes();
    },
  };
}
