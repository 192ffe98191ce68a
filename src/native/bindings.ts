import { dlopen } from "bun:ffi";
import { GgufEmbedError } from "../errors.ts";
import { ABI_VERSION, MESSAGE_SIZE, Status, SystemInfo } from "./abi.ts";
import { findLibrary } from "./library.ts";
import { memoryFile } from "./memory-file.ts";
import { readField } from "./struct.ts";

/**
 * `buffer` parameters take the view itself: a pointer taken earlier may go stale when the collector
 * moves a small array.
 */
const SYMBOLS = {
  ggufembed_system: { args: ["buffer"], returns: "u32" },
  ggufembed_channel_open: { args: ["buffer", "buffer"], returns: "u32" },
  ggufembed_channel_close: { args: ["u64"], returns: "u32" },
  ggufembed_channel_drain: { args: ["u64", "buffer", "u32", "buffer"], returns: "u32" },
  ggufembed_load: { args: ["u64", "buffer", "u32", "buffer"], returns: "u32" },
  ggufembed_embed: {
    args: ["u64", "u64", "buffer", "buffer", "buffer", "buffer", "buffer"],
    returns: "u32",
  },
  ggufembed_unload: { args: ["u64", "u64", "buffer"], returns: "u32" },
  ggufembed_rewrite: { args: ["u64", "buffer", "u32", "buffer"], returns: "u32" },
  ggufembed_stats: { args: ["u64", "buffer"], returns: "u32" },
  ggufembed_cancel: { args: ["u64"], returns: "u32" },
  ggufembed_wait: { args: ["u64"], returns: "u32" },
  ggufembed_take: { args: ["u64", "buffer", "buffer", "u64", "buffer"], returns: "u32" },
  ggufembed_search: {
    args: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    returns: "u32",
  },
  ggufembed_search_sort: { args: ["buffer", "buffer", "u32", "u32"], returns: "u32" },
} as const;

type Symbols = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];

export interface Library {
  readonly path: string;
  readonly symbols: Symbols;
}

let loading: Promise<Library> | undefined;

/**
 * Loads the native library once. It is never closed: its threads would run unmapped code. A failure
 * is not kept, so that a library built in the meantime is found.
 */
export function loadLibrary(): Promise<Library> {
  loading ??= open().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function open(): Promise<Library> {
  const { path, isEmbedded, advice } = await findLibrary();
  let symbols: Symbols;
  try {
    symbols = await loadSymbols(path, isEmbedded);
  } catch (cause) {
    throw new GgufEmbedError(
      "NATIVE",
      `cannot load the native library ${path}: ` +
        `${cause instanceof Error ? cause.message : cause}; ${advice}`,
      { cause },
    );
  }
  const info = new DataView(new ArrayBuffer(SystemInfo.$size));
  symbols.ggufembed_system(bytesOf(info));
  const found = readField(info, SystemInfo, "abi_version");
  if (found !== ABI_VERSION) {
    throw new GgufEmbedError(
      "NATIVE",
      `the native library ${path} has ABI ${found}, this code needs ${ABI_VERSION}; ${advice}`,
    );
  }
  return { path, symbols };
}

/**
 * Bun unpacks what lies in the executable into the temporary folder. Where that is missing, full or
 * forbids execution, memory has to do.
 */
async function loadSymbols(path: string, isEmbedded: boolean): Promise<Symbols> {
  try {
    return dlopen(path, SYMBOLS).symbols;
  } catch (error) {
    const inMemory = isEmbedded ? memoryFile(await Bun.file(path).bytes()) : undefined;
    if (inMemory === undefined) throw error;
    return dlopen(inMemory, SYMBOLS).symbols;
  }
}

export function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

export function newMessage(): Uint8Array {
  return new Uint8Array(new ArrayBuffer(MESSAGE_SIZE));
}

export function messageText(message: Uint8Array): string {
  const end = message.indexOf(0);
  return new TextDecoder().decode(message.subarray(0, end < 0 ? message.length : end));
}

/** What to do where the system refused something. */
const SHORTAGES: ReadonlyMap<number, string> = new Map([
  [Status.out_of_memory, "free memory, or use a smaller model"],
  [Status.system, "close some files or threads, or raise the process's limits (ulimit -n, -u)"],
]);

/** For calls that fail only when the system refuses something or this code has a bug. */
export function expectOk(status: number, what: string, message?: Uint8Array): void {
  if (status === Status.ok) return;
  const name = Object.entries(Status).find(([, value]) => value === status)?.[0] ?? status;
  const why = message === undefined ? "" : messageText(message);
  const shortage = SHORTAGES.get(status);
  throw new GgufEmbedError(
    shortage === undefined ? "NATIVE" : "OUT_OF_RESOURCES",
    `${what} failed in the native library: ${name}${why === "" ? "" : `, ${why}`}; ` +
      (shortage ?? "please report this"),
  );
}
