/// <reference path="../native/files.d.ts" />
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { GgufEmbedError } from "../errors.ts";
import { memoryFile } from "../native/memory-file.ts";
import { unpackedFile } from "../native/unpacked-file.ts";

/** Names an SQLite that loads extensions, where the one of the system does not. */
const SQLITE_VARIABLE = "GGUFEMBED_SQLITE";
/** The file's name would not do for one in memory. */
const ENTRY_POINT = "sqlite3_vec_init";
/** Where Homebrew puts its own, for ARM and for Intel. macOS's loads no extensions. */
const HOMEBREW = ["/opt/homebrew", "/usr/local"].map(
  (prefix) => `${prefix}/opt/sqlite/lib/libsqlite3.dylib`,
);

interface FileModule {
  readonly default: string;
}

const path = (file: FileModule) => file.default;
const missing = () => undefined;

const EXTENSION_PACKAGE = `sqlite-vec-${process.platform}-${process.arch}`;

let isChosen = false;

/**
 * Takes another SQLite than the system's where that is needed: it must be said before the first
 * database is opened, so a program that has one open keeps what it has.
 */
export function chooseSqlite(): void {
  if (isChosen) return;
  isChosen = true;
  const named = process.env[SQLITE_VARIABLE];
  const usual =
    process.platform === "darwin" ? HOMEBREW.find((file) => existsSync(file)) : undefined;
  const wanted = named || usual;
  if (wanted === undefined) return;
  try {
    Database.setCustomSQLite(wanted);
  } catch (cause) {
    // The program chose one itself, or has opened a database: that one may do.
    if (named === undefined || /already/i.test(String(cause))) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    const advice = `correct or unset ${SQLITE_VARIABLE}, which names it`;
    throw new GgufEmbedError("NATIVE", `cannot load the SQLite ${named}: ${why}; ${advice}`, {
      cause,
    });
  }
}

/** Path of sqlite-vec for this machine. Throws `NATIVE` with what to do where there is none. */
export async function findExtension(): Promise<string> {
  const file = await extensionFile();
  if (file === undefined) throw new GgufEmbedError("NATIVE", whyMissing());
  return file;
}

/** Gives a database the functions of sqlite-vec. Throws `NATIVE` with what to do. */
export async function loadExtension(database: Database, file: string): Promise<void> {
  try {
    if (!Bun.isStandaloneExecutable) return database.loadExtension(file, ENTRY_POINT);
    const bytes = await Bun.file(file).bytes();
    const inMemory = memoryFile(bytes);
    if (inMemory !== undefined) return database.loadExtension(inMemory, ENTRY_POINT);
    using unpacked = unpackedFile(bytes);
    database.loadExtension(unpacked.path, ENTRY_POINT);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GgufEmbedError("NATIVE", `cannot load sqlite-vec (${file}): ${why}; ${advice()}`, {
      cause,
    });
  }
}

function advice(): string {
  if (process.platform !== "darwin") return `install ${EXTENSION_PACKAGE} again`;
  return (
    "macOS's own SQLite loads no extensions: run `brew install sqlite`, or name another in " +
    `${SQLITE_VARIABLE}, or call Database.setCustomSQLite before the first database is opened`
  );
}

function whyMissing(): string {
  const what = `the package ${EXTENSION_PACKAGE} is not`;
  if (Bun.isStandaloneExecutable) {
    return `${what} in this executable, which an index needs: compile it where that is installed`;
  }
  return (
    `${what} installed, which an index needs; it is an optional dependency, which an install ` +
    `without those, or for another machine, leaves out: run \`bun add ${EXTENSION_PACKAGE}\``
  );
}

/**
 * The literal paths are behind tests that a bundler can decide, as those of our own library are: so
 * `bun build --compile` takes the file of its target along.
 */
async function extensionFile(): Promise<string | undefined> {
  if (process.platform === "linux") {
    if (process.arch === "x64") return await linuxX64();
    if (process.arch === "arm64") return await linuxArm64();
  }
  if (process.platform === "darwin") {
    if (process.arch === "x64") return await darwinX64();
    if (process.arch === "arm64") return await darwinArm64();
  }
  return undefined;
}

const linuxX64 = () =>
  import("sqlite-vec-linux-x64/vec0.so", { with: { type: "file" } }).then(path, missing);

const linuxArm64 = () =>
  import("sqlite-vec-linux-arm64/vec0.so", { with: { type: "file" } }).then(path, missing);

const darwinX64 = () =>
  import("sqlite-vec-darwin-x64/vec0.dylib", { with: { type: "file" } }).then(path, missing);

const darwinArm64 = () =>
  import("sqlite-vec-darwin-arm64/vec0.dylib", { with: { type: "file" } }).then(path, missing);
