import { BLOCK_SIZES, elementCount } from "../gguf/block-size.ts";
import type { TensorHeader } from "../gguf/encode.ts";
import { alignUp } from "../gguf/limits.ts";
import type { GgmlTypeName, GgufFile } from "../gguf/types.ts";
import type { Passage } from "../native/rewrite.ts";
import { FLOAT_TYPES } from "./types.ts";

/** Numbers, or bytes that are copied, of a job: a fraction of a second on one thread. */
const JOB_COUNT = 2 ** 23;

/** A tensor of a new file, and where its numbers are. */
export interface MovedTensor extends TensorHeader {
  readonly source: StoredTensor;
}

/** Numbers in a file, row by row. */
export interface StoredTensor {
  readonly path: string;
  /** What that file calls the tensor. */
  readonly name: string;
  readonly type: GgmlTypeName;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  /** Added to every number, in float32. */
  readonly plus?: number | undefined;
}

/** What one native call does. */
export interface Job {
  /** Of one file. */
  readonly passages: Passage[];
  /** Up to where the new file is there, behind it. */
  readonly end: number;
}

/** Jobs that together bring every tensor, all from one file, to its place in the new file. */
export function* jobsOf(tensors: readonly MovedTensor[], target: GgufFile): Generator<Job> {
  let passages: Passage[] = [];
  let count = 0;
  let end = 0;
  for (const tensor of tensors) {
    for (const passage of passagesOf(tensor, target)) {
      if (count + passage.count > JOB_COUNT) {
        yield { passages, end };
        passages = [];
        count = 0;
      }
      passages.push(passage);
      count += passage.count;
      const behind = passage.targetOffset + bytesOf(passage.types?.to, passage.count);
      end = alignUp(behind, target.alignment);
    }
  }
  if (count > 0) yield { passages, end };
}

/** Of so many numbers; or of so many bytes, where there is no type. */
function bytesOf(type: GgmlTypeName | undefined, count: number): number {
  if (type === undefined) return count;
  const { elements, bytes } = BLOCK_SIZES[type];
  return (count / elements) * bytes;
}

/**
 * A tensor in runs that each fit a job. What stays as it is is copied; but floats are looked at on
 * the way, and one that is not finite is found.
 */
function* passagesOf({ name, type, source }: MovedTensor, target: GgufFile): Generator<Passage> {
  const { offset, byteLength, shape } = target.tensors.get(name)!;
  const isCopy = type === source.type && !FLOAT_TYPES.has(type);
  const total = isCopy ? byteLength : elementCount(shape);
  const types = isCopy ? undefined : { from: source.type, to: type };
  for (let start = 0; start < total; start += JOB_COUNT) {
    yield {
      name: source.name,
      sourceOffset: source.offset + bytesOf(types?.from, start),
      targetOffset: offset + bytesOf(types?.to, start),
      count: Math.min(JOB_COUNT, total - start),
      types,
      plus: source.plus,
    };
  }
}
