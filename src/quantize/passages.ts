import { BLOCK_SIZES, elementCount } from "../gguf/block-size.ts";
import type { GgmlTypeName, GgufFile } from "../gguf/types.ts";
import type { Passage } from "../native/rewrite.ts";
import type { TensorChoice } from "./mixture.ts";

/** Numbers, or bytes that are copied, of a job: a fraction of a second on one thread. */
const JOB_COUNT = 2 ** 23;

/** What one native call does. */
export interface Job {
  /** That it reads, as tensors count them. */
  readonly file: number;
  readonly passages: Passage[];
  /** Bytes that it writes. */
  readonly bytes: number;
}

/** Jobs that together move every tensor to its place in the new file. */
export function* jobsOf(choices: readonly TensorChoice[], target: GgufFile): Generator<Job> {
  let passages: Passage[] = [];
  let file = 0;
  let count = 0;
  let bytes = 0;
  for (const choice of choices) {
    for (const passage of passagesOf(choice, target)) {
      const isOther = choice.tensor.file !== file;
      if (count > 0 && (isOther || count + passage.count > JOB_COUNT)) {
        yield { file, passages, bytes };
        passages = [];
        count = 0;
        bytes = 0;
      }
      file = choice.tensor.file;
      passages.push(passage);
      count += passage.count;
      bytes += bytesOf(passage.types?.to, passage.count);
    }
  }
  if (count > 0) yield { file, passages, bytes };
}

/** Of so many numbers; or of so many bytes, where there is no type. */
function bytesOf(type: GgmlTypeName | undefined, count: number): number {
  if (type === undefined) return count;
  const { elements, bytes } = BLOCK_SIZES[type];
  return (count / elements) * bytes;
}

/** A tensor in runs that each fit a job. */
function* passagesOf({ tensor, type }: TensorChoice, target: GgufFile): Generator<Passage> {
  const { name } = tensor;
  const placed = target.tensors.get(name)!;
  const isCopy = type === tensor.type;
  const total = isCopy ? tensor.byteLength : elementCount(tensor.shape);
  const types = isCopy ? undefined : { from: tensor.type, to: type };
  for (let start = 0; start < total; start += JOB_COUNT) {
    yield {
      name,
      sourceOffset: tensor.offset + bytesOf(types?.from, start),
      targetOffset: placed.offset + bytesOf(types?.to, start),
      count: Math.min(JOB_COUNT, total - start),
      types,
    };
  }
}
