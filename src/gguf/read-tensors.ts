import {
  BLOCK_SIZES,
  elementCount,
  FOREIGN_TYPES,
  ggmlTypeName,
  tensorByteLength,
} from "./block-size.ts";
import type { Cursor } from "./cursor.ts";
import { alignUp, LIMITS } from "./limits.ts";
import { fileError, formatShape, quote } from "./message.ts";
import type { GgmlTypeName, TensorInfo } from "./types.ts";

/** A name of one byte and one dimension: length, name, rank, dimension, type, offset. */
const ROW_BYTES_MIN = 8 + 1 + 4 + 8 + 4 + 8;

export function readTensorCount(cursor: Cursor): number {
  return cursor.count("number of tensors", LIMITS.tensors, ROW_BYTES_MIN);
}

export interface TensorTable {
  /** Absolute offset of the tensor data section. */
  readonly dataOffset: number;
  readonly tensors: Map<string, TensorInfo>;
}

/** The rows of the tensor table, resolved against the end of the table and the size of the file. */
export function readTensorTable(cursor: Cursor, count: number, alignment: number): TensorTable {
  const rows = new Map<string, TensorInfo>();
  for (let i = 0; i < count; i++) {
    cursor.context = `tensor ${i + 1} of ${count}`;
    const start = cursor.offset;
    const name = cursor.name("name", LIMITS.tensor_name_bytes);
    cursor.context = `tensor ${quote(name)}`;
    if (rows.has(name)) cursor.fail("the tensor occurs twice.", start);
    rows.set(name, readRow(cursor, name, alignment));
  }
  cursor.context = "tensor table";
  // A file without tensors, which holds just a vocabulary, may end without padding.
  const dataOffset = count === 0 ? cursor.offset : alignUp(cursor.offset, alignment);
  const tensors = new Map<string, TensorInfo>();
  for (const [name, row] of rows) tensors.set(name, { ...row, offset: dataOffset + row.offset });
  checkPlaces(cursor, [...tensors.values()]);
  return { dataOffset, tensors };
}

/** One row; its offset is still relative to the data section. */
function readRow(cursor: Cursor, name: string, alignment: number): TensorInfo {
  const shape = readShape(cursor);
  const type = readType(cursor, shape);
  const start = cursor.offset;
  const offset = cursor.uint64("offset");
  if (offset > Number.MAX_SAFE_INTEGER) {
    cursor.fail(`expected an offset inside of the file, found ${offset}.`, start);
  }
  if (Number(offset) % alignment !== 0) {
    cursor.fail(`expected an offset that is a multiple of ${alignment}, found ${offset}.`, start);
  }
  const byteLength = tensorByteLength(type, shape);
  return { name, type, shape, file: 0, offset: Number(offset), byteLength };
}

function readShape(cursor: Cursor): number[] {
  const start = cursor.offset;
  const rank = cursor.uint32("number of dimensions");
  if (rank < 1 || rank > LIMITS.dimensions) {
    cursor.fail(`expected 1 to ${LIMITS.dimensions} dimensions, found ${rank}.`, start);
  }
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const offset = cursor.offset;
    const size = cursor.uint64(`dimension ${i}`);
    if (size < 1 || size > Number.MAX_SAFE_INTEGER) {
      cursor.fail(`expected dimension ${i} from 1 to 2^53 - 1, found ${size}.`, offset);
    }
    shape.push(Number(size));
  }
  if (elementCount(shape) > Number.MAX_SAFE_INTEGER) {
    cursor.fail(`shape ${formatShape(shape)} has more than 2^53 - 1 elements.`, start);
  }
  return shape;
}

function readType(cursor: Cursor, shape: readonly number[]): GgmlTypeName {
  const start = cursor.offset;
  const number = cursor.uint32("type");
  const type = ggmlTypeName(number);
  if (type === undefined) {
    const foreign = FOREIGN_TYPES.get(number);
    if (foreign === undefined) cursor.fail(`${number} is no known tensor type.`, start);
    const message = `byte ${start} (${cursor.context}): type ${number} (${foreign})`;
    throw fileError("UNSUPPORTED", cursor.path, `${message} is not supported. Get another format.`);
  }
  const { elements } = BLOCK_SIZES[type];
  const columns = shape[0]!;
  if (columns % elements !== 0) {
    const expected = `expected rows of a multiple of ${elements} elements`;
    cursor.fail(`${expected}, as ${type} needs, found ${columns}.`, start);
  }
  return type;
}

/** Every tensor inside of the file, and no two in the same place. */
function checkPlaces(cursor: Cursor, tensors: TensorInfo[]): void {
  tensors.sort((a, b) => a.offset - b.offset);
  for (const [i, { name, offset, byteLength }] of tensors.entries()) {
    cursor.context = `tensor ${quote(name)}`;
    const end = offset + byteLength;
    if (end > cursor.fileSize) {
      cursor.fail(
        `its ${byteLength} bytes would end at byte ${end}, but the file ends at byte ` +
          `${cursor.fileSize}. It is truncated or damaged: fetch it again.`,
        offset,
      );
    }
    const next = tensors[i + 1];
    if (next !== undefined && next.offset < end) {
      const overlap = `it ends at byte ${end} and overlaps tensor ${quote(next.name)}`;
      cursor.fail(`${overlap}, which starts at byte ${next.offset}.`, offset);
    }
  }
}
