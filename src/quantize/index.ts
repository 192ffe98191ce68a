import { open, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { usableCores } from "../cores.ts";
import { invalidArgument } from "../errors.ts";
import { encodeHeader } from "../gguf/encode.ts";
import { fileError, quote } from "../gguf/message.ts";
import { parseGgufHeader } from "../gguf/parse.ts";
import { readGguf } from "../gguf/reader.ts";
import { withoutSplitKeys } from "../gguf/shards.ts";
import type { GgmlTypeName, GgufFile, MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { writeWhole } from "../gguf/whole-file.ts";
import { rewritePassages } from "../native/rewrite.ts";
import { chooseTypes, type TensorChoice } from "./mixture.ts";
import { jobsOf } from "./passages.ts";
import {
  FILE_TYPES,
  fileTypeOf,
  QUANTIZATION_VERSION,
  QUANTIZE_TYPES,
  type QuantizeType,
} from "./types.ts";

export { QUANTIZE_TYPES, type QuantizeType };

/** How a file is quantised. */
export interface QuantizeOptions {
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
  /** Threads. Default: the cores that this process may use. */
  readonly threads?: number | undefined;
  /** Rejects with the signal's reason, and leaves no file behind. */
  readonly signal?: AbortSignal | undefined;
  /** Called as the file grows. */
  readonly onProgress?: ((progress: QuantizeProgress) => void) | undefined;
}

/** How far it is. */
export interface QuantizeProgress {
  /** Bytes of the file so far. */
  readonly written: number;
  /** Bytes that it will have. */
  readonly total: number;
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

/** Formats that lose little: quantising what has them adds no error to an error. */
const FLOAT_TYPES: ReadonlySet<GgmlTypeName> = new Set(["F32", "F16", "BF16"]);

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
  const wanted = fileTypeOf(String(options.type));
  if (wanted === undefined) {
    throw invalidArgument(
      `type is ${quote(String(options.type))}; the types are ${QUANTIZE_TYPES.join(", ")}`,
    );
  }
  const threads = options.threads ?? usableCores();
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw invalidArgument(`threads is ${threads}, not a whole number from 1`);
  }
  const source = await readGguf(input);
  const target = pathOf(output);
  await checkTarget(source, target);
  const choices = chooseTypes(source, wanted, options.pure ?? false);
  checkSource(source, choices, options.requantize ?? false);
  const metadata = withoutSplitKeys(source.metadata);
  metadata.set("general.quantization_version", value.uint32(QUANTIZATION_VERSION));
  metadata.set("general.file_type", value.uint32(FILE_TYPES[wanted].number));
  const bytes = await write(source, target, metadata, choices, threads, options);
  return {
    sourceBytes: source.fileSize,
    bytes,
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

/** A file that is there goes; but not the one that is read, nor what is no file. */
async function checkTarget(source: GgufFile, target: string): Promise<void> {
  const to = await stat(target).catch(() => undefined);
  if (to === undefined) return;
  for (const from of await Promise.all(source.paths.map((path) => stat(path)))) {
    if (from.dev !== to.dev || from.ino !== to.ino) continue;
    throw invalidArgument(`${target}: this is the file that is read; give another for the output`);
  }
  if (!to.isFile()) {
    const found = to.isDirectory() ? "a folder" : "not a regular file";
    throw invalidArgument(`${target}: this is ${found}; the output is a file`);
  }
}

function checkSource(
  { path }: GgufFile,
  choices: readonly TensorChoice[],
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

async function write(
  source: GgufFile,
  path: string,
  metadata: ReadonlyMap<string, MetadataEntry>,
  choices: readonly TensorChoice[],
  threads: number,
  { signal, onProgress }: QuantizeOptions,
): Promise<number> {
  const headers = choices.map(({ tensor: { name, shape }, type }) => ({ name, shape, type }));
  const { bytes: header, fileSize } = encodeHeader(metadata, headers);
  const parsed = parseGgufHeader(header, fileSize, path);
  if (!parsed.done) throw new Error(`unreachable: the header of ${path} is not whole`);
  await checkSpace(path, fileSize);
  await using sources = await openAll(source.paths);
  await writeWhole(path, async (to) => {
    await to.writev([header]);
    let written = header.length;
    for (const { file, passages, bytes } of jobsOf(choices, parsed.file)) {
      signal?.throwIfAborted();
      const files = { source: sources.files[file]!, target: { fd: to.fd, path } };
      await rewritePassages(files, passages, threads);
      written += bytes;
      onProgress?.({ written, total: fileSize });
    }
    // The padding behind the last tensor.
    await to.truncate(fileSize);
  });
  return fileSize;
}

/** Files that are open until the end of a scope, in their order. */
async function openAll(paths: readonly string[]) {
  const stack = new AsyncDisposableStack();
  try {
    const files = [];
    for (const path of paths) files.push({ fd: stack.use(await open(path, "r")).fd, path });
    return { files, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Better at once than at the end; what else is written meanwhile, nobody knows. */
async function checkSpace(path: string, needed: number): Promise<void> {
  const disk = await statfs(dirname(path)).catch(() => undefined);
  const free = disk === undefined ? needed : disk.bavail * disk.bsize;
  if (free >= needed) return;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const message = `the file takes ${megabytes(needed)}, and its disk has ${megabytes(free)} free`;
  throw fileError("OUT_OF_RESOURCES", path, `${message}. Free some, or write elsewhere.`);
}
