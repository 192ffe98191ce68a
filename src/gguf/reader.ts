import { fileURLToPath } from "node:url";
import { GgufEmbedError } from "../errors.ts";
import { fileError } from "./message.ts";
import { parseGgufHeader } from "./parse.ts";
import { isShard, joinShards } from "./shards.ts";
import type { GgufFile } from "./types.ts";

/** Holds the whole header of most models with a small vocabulary. */
const FIRST_READ_BYTES = 2 ** 20;
/** The second read, 8 MiB, holds the header of a model with 262,144 tokens. */
const GROWTH = 8;

/**
 * Reads and checks the header of a GGUF file (versions 2 and 3, little-endian). The tensor data is
 * not read. Of a split model any shard will do: those of all are read, and are one file here.
 *
 * Throws `FILE_NOT_FOUND` (missing, not a regular file, or not readable), `BAD_FILE`, `BAD_MODEL`
 * (shards that do not belong together), `UNSUPPORTED`, `OUT_OF_RESOURCES`, or `INVALID_ARGUMENT`
 * for a URL that is not a file's.
 */
export async function readGguf(path: string | URL): Promise<GgufFile> {
  const file = await readOne(pathOf(path));
  return isShard(file) ? joinShards(file, readOne) : file;
}

async function readOne(name: string): Promise<GgufFile> {
  const fileSize = await sizeOf(name);
  let length = Math.min(FIRST_READ_BYTES, fileSize);
  for (;;) {
    const parsed = parseGgufHeader(await readHead(name, length), fileSize, name);
    if (parsed.done) return parsed.file;
    length = Math.min(Math.max(parsed.bytesNeeded, length * GROWTH), fileSize);
  }
}

function pathOf(path: string | URL): string {
  if (typeof path === "string") return path;
  if (path.protocol === "file:") return fileURLToPath(path);
  throw new GgufEmbedError("INVALID_ARGUMENT", `${path}: expected a path or a file: URL.`);
}

/** Bytes of a regular file. `stat` waits on nothing, even for a pipe. */
async function sizeOf(path: string): Promise<number> {
  const stat = await Bun.file(path)
    .stat()
    .catch((cause) => unreadable(path, cause));
  if (stat.isFile()) return stat.size;
  const found = stat.isDirectory() ? "a folder" : "not a regular file";
  throw fileError("FILE_NOT_FOUND", path, `this is ${found}; expected a GGUF file.`);
}

async function readHead(path: string, length: number): Promise<Uint8Array> {
  const slice = Bun.file(path).slice(0, length);
  const bytes = await slice.bytes().catch((cause) => unreadable(path, cause));
  if (bytes.length === length) return bytes;
  const expected = `expected ${length} bytes, read ${bytes.length}`;
  throw fileError("BAD_FILE", path, `${expected}: the file changed while it was read. Try again.`);
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["ENOTDIR", "there is no such file"],
  ["EACCES", "no permission to read it"],
  ["EPERM", "no permission to read it"],
]);

/** What the system lacks, and the path is not to blame for. */
const SHORTAGES: ReadonlyMap<string, string> = new Map([
  ["EMFILE", "this process has too many open files. Close some, or raise the limit (ulimit -n)."],
  ["ENFILE", "the system has too many open files. Close some, or raise its limit."],
  ["ENOMEM", "the system has no memory left. Free some."],
]);

/** What there is to say of a file that the system does not let read. */
export function unreadable(path: string, cause: unknown): never {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  const shortage = SHORTAGES.get(code);
  if (shortage !== undefined) throw fileError("OUT_OF_RESOURCES", path, shortage, { cause });
  const reason = REASONS.get(code) ?? `it cannot be read (${code})`;
  throw fileError("FILE_NOT_FOUND", path, `${reason}. Check the path.`, { cause });
}
