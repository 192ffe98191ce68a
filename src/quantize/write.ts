import { open, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { usableCores } from "../cores.ts";
import { invalidArgument } from "../errors.ts";
import { encodeHeader } from "../gguf/encode.ts";
import { fileError } from "../gguf/message.ts";
import { parseGgufHeader } from "../gguf/parse.ts";
import { unreadable } from "../gguf/reader.ts";
import type { GgufFile, MetadataEntry } from "../gguf/types.ts";
import { writeWhole } from "../gguf/whole-file.ts";
import { rewritePassages } from "../native/rewrite.ts";
import { jobsOf, type MovedTensor } from "./passages.ts";

/** How a model file is written. */
export interface WriteOptions {
  /** Threads. Default: the cores that this process may use. */
  readonly threads?: number | undefined;
  /** Rejects with the signal's reason, and leaves no file behind. */
  readonly signal?: AbortSignal | undefined;
  /** Called as the file grows. */
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined;
}

/** How far a model file is. */
export interface WriteProgress {
  /** Bytes of the file so far. */
  readonly written: number;
  /** Bytes that it will have. */
  readonly total: number;
}

/**
 * Writes a GGUF file whose tensors lie in other files, each in the format that it is to have. All
 * threads read, encode and write, in a few megabytes of memory however large the tensors. The file
 * appears whole or not at all; another of its name is replaced.
 *
 * Throws `INVALID_ARGUMENT` (no number of threads, a target that is a folder, or one of the files
 * that are read), `FILE_NOT_FOUND`, `BAD_FILE` (a file that became shorter, a header that the
 * reader would refuse), `NOT_FINITE` and `OUT_OF_RESOURCES` (a full disk).
 */
export async function writeTensors(
  path: string,
  metadata: ReadonlyMap<string, MetadataEntry>,
  tensors: readonly MovedTensor[],
  { threads = usableCores(), signal, onProgress }: WriteOptions,
): Promise<GgufFile> {
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw invalidArgument(`threads is ${threads}, not a whole number from 1`);
  }
  const { bytes: header, fileSize } = encodeHeader(metadata, tensors);
  const parsed = parseGgufHeader(header, fileSize, path);
  if (!parsed.done) throw new Error(`unreachable: the header of ${path} is not whole`);
  await checkTarget(path, new Set(tensors.map(({ source }) => source.path)));
  await checkSpace(path, fileSize);
  await writeWhole(path, async (to) => {
    await to.writeFile(header);
    for (const run of runsOfOneFile(tensors)) {
      const { path: name } = run[0].source;
      const from = await open(name, "r").catch((cause) => unreadable(name, cause));
      try {
        const files = { source: { fd: from.fd, path: name }, target: { fd: to.fd, path } };
        for (const { passages, end } of jobsOf(run, parsed.file)) {
          signal?.throwIfAborted();
          await rewritePassages(files, passages, threads);
          onProgress?.({ written: end, total: fileSize });
        }
      } finally {
        await from.close();
      }
    }
    // The padding behind the last tensor.
    await to.truncate(fileSize);
  });
  return parsed.file;
}

type Run = [MovedTensor, ...MovedTensor[]];

/** One file is open at a time, however many parts a model has. */
function runsOfOneFile(tensors: readonly MovedTensor[]): Run[] {
  const runs: Run[] = [];
  for (const tensor of tensors) {
    const last = runs.at(-1);
    if (last?.[0].source.path === tensor.source.path) last.push(tensor);
    else runs.push([tensor]);
  }
  return runs;
}

/** A file that is there goes; but not one that is read, nor what is no file. */
async function checkTarget(target: string, sources: ReadonlySet<string>): Promise<void> {
  const to = await stat(target).catch(() => undefined);
  if (to === undefined) return;
  if (!to.isFile()) {
    const found = to.isDirectory() ? "a folder" : "not a regular file";
    throw invalidArgument(`${target}: this is ${found}; the output is a file`);
  }
  for (const source of sources) {
    const from = await stat(source).catch((cause) => unreadable(source, cause));
    if (from.dev !== to.dev || from.ino !== to.ino) continue;
    throw invalidArgument(`${target}: this is the file that is read; give another for the output`);
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
