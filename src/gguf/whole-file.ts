import { rmSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileError } from "./message.ts";

/**
 * Writes a file that appears under `path` at once and whole, or not at all: `fill` writes it beside
 * that, and then it is renamed. Whatever ends the process before takes the unfinished file away.
 *
 * Throws what `fill` throws; `FILE_NOT_FOUND` or `OUT_OF_RESOURCES` where the system refuses.
 */
export async function writeWhole(
  path: string,
  fill: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.tmp`);
  // Where a signal ends the process, nobody comes back here.
  const abandon = () => rmSync(temporary, { force: true });
  process.once("exit", abandon);
  try {
    const handle = await open(temporary, "wx");
    try {
      await fill(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw unwritable(path, error);
  } finally {
    process.off("exit", abandon);
  }
}

const OUT_OF_RESOURCES: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"]);

/** Gives system errors a code of ours; others, an abort's reason among them, pass as they are. */
function unwritable(path: string, error: unknown): unknown {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) return error;
  const code = OUT_OF_RESOURCES.has(String(error.code)) ? "OUT_OF_RESOURCES" : "FILE_NOT_FOUND";
  const message = `the file cannot be written (${error.code})`;
  const advice = "Check the folder and its free space.";
  return fileError(code, path, `${message}. ${advice}`, { cause: error });
}
