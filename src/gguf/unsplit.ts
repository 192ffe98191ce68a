import { createReadStream } from "node:fs";
import { encodeHeader } from "./encode.ts";
import { alignUp } from "./limits.ts";
import { withoutSplitKeys } from "./shards.ts";
import type { GgufFile } from "./types.ts";

const READ_BYTES = 2 ** 20;

/**
 * The bytes of the file that a model was before it was split: its metadata without what the
 * splitting added, and the tensors of all shards one after another. If gguf-py, llama.cpp or this
 * package wrote that file, they are its very bytes; one that was laid out in another way, or of
 * version 2, had the same content and other bytes.
 */
export async function* unsplit(file: GgufFile): AsyncGenerator<Uint8Array> {
  const tensors = [...file.tensors.values()];
  const { bytes } = encodeHeader(withoutSplitKeys(file.metadata), tensors);
  yield bytes;
  for (const { file: index, offset, byteLength } of tensors) {
    const end = offset + byteLength - 1;
    const path = file.paths[index]!;
    yield* createReadStream(path, { start: offset, end, highWaterMark: READ_BYTES });
    yield new Uint8Array(alignUp(byteLength, file.alignment) - byteLength);
  }
}
