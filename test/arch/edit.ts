import { GgufMetadata } from "../../src/gguf/metadata.ts";
import type { GgufFile, MetadataEntry, TensorInfo } from "../../src/gguf/types.ts";

/** What to put in place of metadata entries and rows of the tensor table; `undefined` removes. */
export interface Edits {
  readonly metadata?: Readonly<Record<string, MetadataEntry | undefined>>;
  readonly tensors?: Readonly<Record<string, Partial<TensorInfo> | undefined>>;
}

/** A copy of a parsed header with edits; the file itself stays as it is. */
export function edit(file: GgufFile, { metadata = {}, tensors = {} }: Edits): GgufFile {
  const entries = new Map(file.metadata.entries);
  for (const [key, entry] of Object.entries(metadata)) {
    if (entry === undefined) entries.delete(key);
    else entries.set(key, entry);
  }
  const table = new Map(file.tensors);
  for (const [name, change] of Object.entries(tensors)) {
    const blank = {
      name,
      type: "F32",
      shape: [1],
      file: 0,
      offset: file.dataOffset,
      byteLength: 4,
    } as const;
    if (change === undefined) table.delete(name);
    else table.set(name, { ...(file.tensors.get(name) ?? blank), ...change });
  }
  return { ...file, metadata: new GgufMetadata(file.path, entries), tensors: table };
}
