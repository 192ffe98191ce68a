import type { GgufEmbedError } from "../errors.ts";
import { fileError, quote } from "../gguf/message.ts";
import { isJsonObject, type JsonObject } from "./json.ts";

/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header that maps each name
 * to its dtype, shape and byte range, then the data.
 * Source: the format section of the README of huggingface/safetensors.
 */
export interface SafetensorsFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

export interface SafetensorsTensor {
  readonly path: string;
  readonly name: string;
  readonly dtype: string;
  /** Row-major: the last dimension runs fastest. */
  readonly shape: readonly number[];
  /** Absolute offset of the first byte in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

const LENGTH_BYTES = 8;
/** The limit that the format's own implementation sets, in bytes. */
const HEADER_BYTES_MAX = 100_000_000;
const TENSORS_MAX = 100_000;
const DIMENSIONS_MAX = 8;

const DTYPE_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/** Reads and checks the header. Throws `FILE_NOT_FOUND` or `BAD_FILE`. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = Bun.file(path);
  if (!(await file.exists())) {
    throw fileError("FILE_NOT_FOUND", path, "no such file");
  }
  const headerLength = await readHeaderLength(path, file.size);
  const dataOffset = LENGTH_BYTES + headerLength;
  const header = await readHeader(path, dataOffset);
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  if (names.length > TENSORS_MAX) {
    throw bad(path, `${names.length} tensors, more than the limit of ${TENSORS_MAX}`);
  }
  const dataLength = file.size - dataOffset;
  const tensors = names.map((name) => readEntry(path, name, header[name], dataOffset, dataLength));
  refuseOverlaps(path, tensors);
  return { path, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

async function readHeaderLength(path: string, fileSize: number): Promise<number> {
  if (fileSize < LENGTH_BYTES) {
    throw bad(path, `${fileSize} bytes are too few for a header`);
  }
  const view = new DataView(await Bun.file(path).slice(0, LENGTH_BYTES).arrayBuffer());
  const length = view.getBigUint64(0, true);
  const room = BigInt(Math.min(fileSize - LENGTH_BYTES, HEADER_BYTES_MAX));
  if (length > room) {
    throw bad(path, `the header claims ${length} bytes; at most ${room} are possible`);
  }
  return Number(length);
}

async function readHeader(path: string, dataOffset: number): Promise<JsonObject> {
  const text = await Bun.file(path).slice(LENGTH_BYTES, dataOffset).text();
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw bad(path, "the header is not JSON", { cause });
  }
  if (!isJsonObject(header)) throw bad(path, "the header is not a JSON object");
  return header;
}

function readEntry(
  path: string,
  name: string,
  entry: unknown,
  dataOffset: number,
  dataLength: number,
): SafetensorsTensor {
  if (!isJsonObject(entry)) throw bad(path, `${quote(name)} is not described by a JSON object`);
  const { dtype, shape, data_offsets: range } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    throw bad(path, `${quote(name)} has the unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!isCountArray(shape) || shape.length > DIMENSIONS_MAX) {
    throw bad(path, `${quote(name)} has the bad shape ${JSON.stringify(shape)}`);
  }
  if (!isCountArray(range) || range.length !== 2) {
    throw bad(path, `${quote(name)} has the bad data_offsets ${JSON.stringify(range)}`);
  }
  const [begin, end] = range as [number, number];
  const expected = shape.reduce((size, side) => size * side, DTYPE_BYTES[dtype]!);
  if (end - begin !== expected) {
    throw bad(
      path,
      `${quote(name)} of ${dtype} [${shape}] needs ${expected} bytes, has ${end - begin}`,
    );
  }
  if (end > dataLength) {
    throw bad(path, `${quote(name)} ends at byte ${end} of ${dataLength} bytes of data`);
  }
  return { path, name, dtype, shape, offset: dataOffset + begin, byteLength: expected };
}

function refuseOverlaps(path: string, tensors: readonly SafetensorsTensor[]): void {
  const byOffset = tensors.toSorted((a, b) => a.offset - b.offset);
  for (const [i, tensor] of byOffset.entries()) {
    const previous = byOffset[i - 1];
    if (previous !== undefined && previous.offset + previous.byteLength > tensor.offset) {
      throw bad(path, `${quote(previous.name)} and ${quote(tensor.name)} overlap`);
    }
  }
}

function isCountArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((side) => Number.isSafeInteger(side) && side >= 0);
}

function bad(path: string, what: string, options?: ErrorOptions): GgufEmbedError {
  return fileError("BAD_FILE", path, `not a sound safetensors file: ${what}`, options);
}
