import { Cursor, OutOfBytes } from "./cursor.ts";
import { ALIGNMENT_DEFAULT, ALIGNMENT_MIN, isAlignment, LIMITS } from "./limits.ts";
import { describeEntry, fileError } from "./message.ts";
import { GgufMetadata } from "./metadata.ts";
import { readMetadata, readMetadataCount } from "./read-metadata.ts";
import { readTensorCount, readTensorTable } from "./read-tensors.ts";
import type { GgufFile, MetadataEntry } from "./types.ts";

/** Either the parsed file, or how many bytes of its head the parser must see at the least. */
export type HeaderParse =
  | { readonly done: true; readonly file: GgufFile }
  | { readonly done: false; readonly bytesNeeded: number };

/**
 * Parses the head of a GGUF file. `bytes` are the first bytes of a file of `fileSize` bytes; when
 * they end before the header does, the answer says how many more are needed (more than
 * `bytes.length`, no more than `fileSize`), and the caller comes back with them. Vocabularies keep
 * pointing into `bytes`.
 *
 * Throws `BAD_FILE` (not a well-formed GGUF file; the message names the byte and what was expected
 * there) or `UNSUPPORTED` (big-endian, or a version or tensor format that this package cannot
 * read).
 * Source: the GGUF specification, `docs/gguf.md` of ggml-org/ggml.
 */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number, path: string): HeaderParse {
  try {
    return { done: true, file: parse(new Cursor(bytes, fileSize, path)) };
  } catch (error) {
    if (error instanceof OutOfBytes) return { done: false, bytesNeeded: error.headerLength };
    throw error;
  }
}

function parse(cursor: Cursor): GgufFile {
  const { path, fileSize } = cursor;
  if (fileSize === 0) throw fileError("BAD_FILE", path, "the file is empty. Fetch it again.");
  readMagic(cursor);
  const version = readVersion(cursor);
  const tensorCount = readTensorCount(cursor);
  const metadataCount = readMetadataCount(cursor);
  const entries = readMetadata(cursor, metadataCount);
  const alignment = alignmentOf(cursor, entries.get("general.alignment"));
  const { dataOffset, tensors } = readTensorTable(cursor, tensorCount, alignment);
  const metadata = new GgufMetadata(path, entries);
  return { path, paths: [path], version, fileSize, alignment, dataOffset, metadata, tensors };
}

/** What every GGUF file begins with. */
export const MAGIC = "GGUF";

function readMagic(cursor: Cursor): void {
  cursor.need(MAGIC.length, `the magic ${MAGIC}`);
  const found = cursor.bytes.subarray(0, MAGIC.length);
  if (!Buffer.from(MAGIC).equals(found)) {
    const hex = found.toHex();
    cursor.fail(`expected the magic ${MAGIC}, found bytes ${hex}. This is not a GGUF file.`);
  }
  cursor.offset += MAGIC.length;
}

const VERSIONS: readonly number[] = [2, 3];

function readVersion(cursor: Cursor): number {
  const start = cursor.offset;
  const version = cursor.uint32("version");
  if (VERSIONS.includes(version)) return version;
  if (version === 0) cursor.fail(`expected version 2 or 3, found ${version}.`, start);
  // A small number with its bytes swapped; llama.cpp tells big-endian files in the same way.
  const isBigEndian = (version & 0xffff) === 0;
  const message = isBigEndian ? BIG_ENDIAN : otherVersion(version);
  throw fileError("UNSUPPORTED", cursor.path, `byte ${start} (header): ${message}`);
}

const BIG_ENDIAN =
  "the file is big-endian, and only little-endian files can be read. Convert it in place with " +
  "gguf_convert_endian.py of llama.cpp's gguf-py (pip install gguf; gguf-convert-endian FILE " +
  "little), or get the little-endian file.";

const otherVersion = (version: number) =>
  `GGUF version ${version}; only versions 2 and 3 can be read. Convert the model again.`;

function alignmentOf(cursor: Cursor, entry: MetadataEntry | undefined): number {
  if (entry === undefined) return ALIGNMENT_DEFAULT;
  const { value } = entry;
  if (typeof value === "number" && isAlignment(value)) return value;
  const range = `${ALIGNMENT_MIN} to ${LIMITS.alignment}`;
  cursor.context = 'metadata key "general.alignment"';
  cursor.fail(`expected a power of two from ${range}, found ${describeEntry(entry)}.`);
}
