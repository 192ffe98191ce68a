import { fileURLToPath } from "node:url";
import { invalidArgument } from "../errors.ts";
import { fileError, quote } from "../gguf/message.ts";
import { readGguf } from "../gguf/reader.ts";
import { withoutSplitKeys } from "../gguf/shards.ts";
import type { GgmlTypeName, GgufFile, TensorInfo } from "../gguf/types.ts";
import { chooseTypes, type TensorChoice } from "./mixture.ts";
import {
  FILE_TYPES,
  FLOAT_TYPES,
  fileTypeEntries,
  QUANTIZE_TYPES,
  type QuantizeType,
  requireFileType,
} from "./types.ts";
import { type WriteOptions, writeTensors } from "./write.ts";

export { QUANTIZE_TYPES, type QuantizeType };

/** How a file is quantised. */
export interface QuantizeOptions extends WriteOptions {
  /** What most matrices become. */
  readonly type: QuantizeType;
  /**
   * All matrices become `type`, even those to which its mixture gives more bits: the vocabulary,
   * and in the K formats some of the layers. Default `false`.
   */
  readonly pure?: boolean | undefined;
  /**
   * Whether matrices that are quantised already may be quantised again, which adds to their error.
   * Default `false`: such a file is refused.
   */
  readonly requantize?: boolean | undefined;
}

/** What became of a file. */
export interface QuantizeReport {
  /** Bytes of the file that was read, or of all its shards. */
  readonly sourceBytes: number;
  /** Bytes of the file that was written. */
  readonly bytes: number;
  /** Every tensor, in the order of the file. */
  readonly tensors: readonly QuantizedTensor[];
}

/** What became of a tensor. */
export interface QuantizedTensor {
  /** Its name. */
  readonly name: string;
  /** `[columns, rows, …]` */
  readonly shape: readonly number[];
  /** Its format in the file that was read. */
  readonly from: GgmlTypeName;
  /** Its format in the file that was written. */
  readonly to: GgmlTypeName;
  /** The format that it should have had, where its rows are not made of whole blocks of that. */
  readonly instead: GgmlTypeName | null;
}

/** What can be read to become something else. */
const SOURCE_TYPES: ReadonlySet<GgmlTypeName> = new Set([
  ...FLOAT_TYPES,
  ...Object.values(FILE_TYPES).map(({ type }) => type),
]);

/**
 * Writes a GGUF file with its matrices in another format, each with less squared error than
 * llama.cpp's tool has: the scales of every block are searched for. Vectors, norms and small tables
 * stay as they are. The mixtures are llama.cpp's. The same file gives the same bytes on any machine
 * and any number of threads. Of a split model name any shard: one file is written.
 *
 * It takes a few megabytes of memory however large the file. The new file appears whole or not at
 * all; another of its name is replaced.
 *
 * Throws `INVALID_ARGUMENT` (an unknown type, both files the same, a file that is quantised
 * already), `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL` (shards that do not belong together),
 * `UNSUPPORTED` (a matrix in a format that cannot be read),
 * `NOT_FINITE` (a weight that is, or that is too large for the format) and `OUT_OF_RESOURCES` (a
 * full disk).
 */
export async function quantize(
  input: string | URL,
  output: string | URL,
  options: QuantizeOptions,
): Promise<QuantizeReport> {
  const wanted = requireFileType(String(options.type));
  const source = await readGguf(input);
  const target = pathOf(output);
  const { entries } = source.metadata;
  const choices = chooseTypes(entries, [...source.tensors.values()], wanted, options.pure ?? false);
  checkSource(source, choices, options.requantize ?? false);
  const moved = choices.map(({ tensor, type }) => {
    return { ...tensor, type, source: { ...tensor, path: source.paths[tensor.file]! } };
  });
  const metadata = new Map([...withoutSplitKeys(source.metadata), ...fileTypeEntries(wanted)]);
  const { fileSize } = await writeTensors(target, metadata, moved, options);
  return {
    sourceBytes: source.fileSize,
    bytes: fileSize,
    tensors: choices.map(({ tensor, type, wanted: instead }) => ({
      name: tensor.name,
      shape: tensor.shape,
      from: tensor.type,
      to: type,
      instead: instead === type ? null : instead,
    })),
  };
}

function pathOf(output: string | URL): string {
  if (typeof output === "string" && output !== "" && !output.includes("\0")) return output;
  if (output instanceof URL && output.protocol === "file:") return fileURLToPath(output);
  throw invalidArgument(`the output is ${quote(String(output))}, not a path or a file: URL`);
}

function checkSource(
  { path }: GgufFile,
  choices: readonly TensorChoice<TensorInfo>[],
  requantize: boolean,
): void {
  for (const { tensor, type } of choices) {
    if (type === tensor.type) continue;
    const subject = `tensor ${quote(tensor.name)} is ${tensor.type}`;
    if (!SOURCE_TYPES.has(tensor.type)) {
      const known = [...SOURCE_TYPES].join(", ");
      throw fileError("UNSUPPORTED", path, `${subject}; what can be read is ${known}`);
    }
    if (!requantize && !FLOAT_TYPES.has(tensor.type)) {
      throw invalidArgument(
        `${path}: ${subject}, which is quantised already; quantise a file of F32, F16 or BF16, ` +
          "or allow it to be quantised again, with more error (requantize)",
      );
    }
  }
}
