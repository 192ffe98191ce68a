import { join } from "node:path";
import { type ConvertOptions, convertFolder } from "../../src/convert/index.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { plain, plainMetadata } from "../gguf/plain.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { type BertFolder, writeFolder } from "./bert-folder.ts";

export interface Converted {
  readonly file: GgufFile;
  readonly metadata: unknown;
  /** All bytes of the file. */
  readonly bytes: Uint8Array;
  tensor(name: string): Uint8Array;
}

export async function convert(
  folder: BertFolder,
  options: ConvertOptions = {},
): Promise<Converted> {
  await using temporary = await temporaryFolder();
  const directory = await writeFolder(folder, join(temporary.path, "my-model"));
  const path = join(temporary.path, "out.gguf");
  await convertFolder(directory, path, options);
  const file = await readGguf(path);
  const bytes = await Bun.file(path).bytes();
  return {
    file,
    metadata: plainMetadata(file.metadata.entries),
    bytes,
    tensor(name) {
      const { offset, byteLength } = file.tensors.get(name)!;
      return bytes.subarray(offset, offset + byteLength);
    },
  };
}

/** The value of a key as plain data. */
export function found({ file }: Converted, key: string): unknown {
  const entry = file.metadata.entries.get(key);
  return entry && plain(entry);
}
