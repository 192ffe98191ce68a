import { dlopen } from "bun:ffi";
import { closeSync, fstatSync, readdirSync, readlinkSync, writeSync } from "node:fs";

/** Of glibc, and of musl. */
const C_LIBRARIES = ["libc.so.6", "libc.so"];
const MFD_CLOEXEC = 0x1;
/** Wanted where the system makes such files inexecutable otherwise. Unknown before Linux 6.3. */
const MFD_EXEC = 0x10;
const DESCRIPTORS = "/proc/self/fd";

/**
 * Path of a file in memory that has these bytes, for a loader where no folder will do; undefined
 * where the system has no such files: outside of Linux, or without `/proc`.
 *
 * Its descriptor stays open. So another thread of the process finds the file by its name, and the
 * loader gives it the library that is loaded already, not one more with threads of its own.
 */
export function memoryFile(bytes: Uint8Array): string | undefined {
  if (process.platform !== "linux") return undefined;
  const name = `ggufembed-${Bun.hash(bytes).toString(36)}`;
  try {
    const found = find(name, bytes.length);
    if (found !== undefined) return found;
    const fd = create(name);
    if (fd === undefined) return undefined;
    let first: string | undefined;
    try {
      write(fd, bytes);
      first = find(name, bytes.length);
      return first;
    } finally {
      // Not all of it could be written, or another thread was first.
      if (first !== `${DESCRIPTORS}/${fd}`) closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** The first complete file of that name: a shorter one is being written. */
function find(name: string, length: number): string | undefined {
  const descriptors = readdirSync(DESCRIPTORS).map(Number);
  const isIt = (fd: number) => {
    try {
      const target = readlinkSync(`${DESCRIPTORS}/${fd}`);
      return target === `/memfd:${name} (deleted)` && fstatSync(fd).size === length;
    } catch {
      // Closed since it was listed.
      return false;
    }
  };
  const fd = descriptors.sort((a, b) => a - b).find(isIt);
  return fd === undefined ? undefined : `${DESCRIPTORS}/${fd}`;
}

function create(name: string): number | undefined {
  const text = new TextEncoder().encode(`${name}\0`);
  for (const library of C_LIBRARIES) {
    try {
      const { symbols } = dlopen(library, {
        memfd_create: { args: ["buffer", "u32"], returns: "i32" },
      });
      for (const flags of [MFD_CLOEXEC | MFD_EXEC, MFD_CLOEXEC]) {
        const fd = symbols.memfd_create(text, flags);
        if (fd >= 0) return fd;
      }
    } catch {
      // The other C library, or one without the function.
    }
  }
  return undefined;
}

function write(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
