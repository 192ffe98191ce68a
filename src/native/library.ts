/// <reference path="./files.d.ts" />
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { GgufEmbedError } from "../errors.ts";
import { libraryFromPackage, platformPackage } from "./packages.ts";

/** Environment variable that names the native library outright. */
export const LIBRARY_VARIABLE = "GGUFEMBED_LIBRARY";

export interface LibraryFile {
  readonly path: string;
  /** Whether it lies in this executable, and has to be unpacked before it can be loaded. */
  readonly isEmbedded: boolean;
  /** What to do when it cannot be loaded: that depends on where it comes from. */
  readonly advice: string;
}

const OTHERWISE = `or name the library in ${LIBRARY_VARIABLE}`;

/**
 * Finds the native library for this platform.
 *
 * In order: what `GGUFEMBED_LIBRARY` names; then the file that the build left in the checkout; then
 * the package for this platform, an optional dependency of this one. `bun build --compile` takes
 * the last two into the executable.
 */
export async function findLibrary(): Promise<LibraryFile> {
  const named = process.env[LIBRARY_VARIABLE];
  if (named !== undefined && named !== "") {
    const advice = `correct or unset ${LIBRARY_VARIABLE}, which names it`;
    // Absolute: the loader looks for a bare name elsewhere.
    const path = resolve(named);
    if (existsSync(path)) return { path, isEmbedded: false, advice };
    throw new GgufEmbedError("NATIVE", `the native library ${path} does not exist; ${advice}`);
  }
  const isEmbedded = Bun.isStandaloneExecutable;
  const unpack = "set TMPDIR to a folder where files may be written and executed";
  const remedy = (elsewhere: string) =>
    `${isEmbedded ? unpack : elsewhere}, or name another in ${LIBRARY_VARIABLE}`;
  const built = await libraryFromCheckout();
  if (built !== undefined) {
    return { path: built, isEmbedded, advice: remedy("build it again (`bun run build`)") };
  }
  const packed = await libraryFromPackage();
  if (packed !== undefined) {
    const advice = remedy(`install ggufembed again, and ${platformPackage()} at its version`);
    return { path: packed, isEmbedded, advice };
  }
  throw new GgufEmbedError("NATIVE", whyMissing());
}

function whyMissing(): string {
  if (existsSync(resolve(import.meta.dir, "../../build.zig"))) {
    return `the native library is not built; run \`bun run build\` in the checkout, ${OTHERWISE}`;
  }
  const wanted = platformPackage();
  if (wanted === undefined) {
    return (
      `there is no native library for ${process.platform} on ${process.arch}: ` +
      "there are packages for Linux and macOS on x64 and arm64; build one from the sources " +
      `and name it in ${LIBRARY_VARIABLE}`
    );
  }
  if (Bun.isStandaloneExecutable) {
    return (
      `this executable carries no native library for this machine: compile it where ${wanted} ` +
      `is installed, ${OTHERWISE}`
    );
  }
  return (
    `the package ${wanted} is not installed, which has the native library for this machine; ` +
    "it is an optional dependency, which an install without those, or for another machine, " +
    `leaves out: run \`bun add ${wanted}@${version}\`, ${OTHERWISE}`
  );
}

/** Literal paths only: the bundler cannot follow computed ones. */
async function libraryFromCheckout(): Promise<string | undefined> {
  if (process.platform === "linux") {
    return await import("../../zig-out/lib/libggufembed.so", { with: { type: "file" } }).then(
      (file) => file.default,
      () => undefined,
    );
  }
  if (process.platform === "darwin") {
    return await import("../../zig-out/lib/libggufembed.dylib", { with: { type: "file" } }).then(
      (file) => file.default,
      () => undefined,
    );
  }
  return undefined;
}
