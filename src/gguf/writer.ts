import assert from "node:assert/strict";
import type { FileHandle } from "node:fs/promises";
import { encodeHeader, type TensorHeader } from "./encode.ts";
import { alignUp } from "./limits.ts";
import { fileError, formatShape, quote } from "./message.ts";
import { parseGgufHeader } from "./parse.ts";
import type { GgufFile, MetadataEntry } from "./types.ts";
import { writeWhole } from "./whole-file.ts";

/** A tensor to write. */
export interface TensorSource extends TensorHeader {
  /**
   * Its bytes in order, in pieces of any size. Called once, when the tensor's turn comes; a piece
   * may be reused as soon as the next one is asked for.
   */
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Writes a GGUF file of version 3, as gguf-py does: metadata and tensors in the given order, every
 * tensor padded to `general.alignment` (32 where that is absent). The data come from memory; what
 * lies in files goes from one to the other by `writeTensors`. Holds the header and one piece of
 * tensor data in memory. The file appears under `path` at once and whole: it is written beside it
 * and renamed.
 *
 * Throws `BAD_FILE` for a header that the reader would refuse (two tensors of one name, rows that
 * are not whole blocks, …), `INVALID_ARGUMENT` for a tensor whose pieces have another length than
 * its type and shape say, `FILE_NOT_FOUND` or `OUT_OF_RESOURCES` where the folder cannot be
 * written.
 */
export async function writeGguf(
  path: string,
  metadata: ReadonlyMap<string, MetadataEntry>,
  tensors: readonly TensorSource[],
): Promise<GgufFile> {
  const { bytes: header, fileSize } = encodeHeader(metadata, tensors);
  const parsed = parseGgufHeader(header, fileSize, path);
  if (!parsed.done) throw new Error(`unreachable: the header of ${path} is not whole`);
  await writeWhole(path, async (handle) => {
    const writer = new Writer(handle);
    await writer.write(header);
    for (const source of tensors) await writeTensor(writer, source, parsed.file);
  });
  return parsed.file;
}

async function writeTensor(writer: Writer, source: TensorSource, file: GgufFile): Promise<void> {
  const { offset, byteLength } = file.tensors.get(source.name)!;
  const end = offset + byteLength;
  assert(writer.position === offset, "every tensor before was padded to the alignment");
  for await (const chunk of source.chunks()) {
    const excess = writer.position + chunk.length - end;
    if (excess > 0) throw wrongLength(file.path, source, byteLength, byteLength + excess);
    await writer.write(chunk);
  }
  const missing = end - writer.position;
  if (missing > 0) throw wrongLength(file.path, source, byteLength, byteLength - missing);
  await writer.padTo(alignUp(end, file.alignment));
}

function wrongLength(path: string, source: TensorSource, want: number, found: number): Error {
  const shape = `${source.type} ${formatShape(source.shape)}`;
  const message = `tensor ${quote(source.name)} (${shape}): expected ${want} bytes, got ${found}`;
  return fileError("INVALID_ARGUMENT", path, `${message} of data.`);
}

/** Appends to a file and knows where it is. */
class Writer {
  position = 0;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done);
      done += bytesWritten;
    }
    this.position += bytes.length;
  }

  async padTo(position: number): Promise<void> {
    if (position > this.position) await this.write(new Uint8Array(position - this.position));
  }
}
