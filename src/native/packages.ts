/// <reference path="./files.d.ts" />

/** What `import` gives for a file. */
interface FileModule {
  readonly default: string;
}

const path = (file: FileModule) => file.default;
const missing = () => undefined;

/**
 * Name of the package that has the native library for this platform; undefined where there is none.
 * The packages themselves are made by `scripts/packages`.
 */
export function platformPackage(): string | undefined {
  const { platform, arch } = process;
  if (arch !== "x64" && arch !== "arm64") return undefined;
  if (platform === "darwin") return `@ggufembed/darwin-${arch}`;
  if (platform !== "linux") return undefined;
  return `@ggufembed/linux-${arch}-${usesGlibc() ? "gnu" : "musl"}`;
}

/**
 * The library in the package for this platform, if that is installed.
 *
 * The paths are literals behind tests that a bundler can decide: `bun build --compile` takes the
 * files into its executable, those of the target and not of the machine that builds. What is not
 * installed may be missing, since each import says what happens then.
 */
export async function libraryFromPackage(): Promise<string | undefined> {
  if (process.platform === "linux") {
    if (process.arch === "x64") return await (usesGlibc() ? linuxX64Gnu() : linuxX64Musl());
    if (process.arch === "arm64") return await (usesGlibc() ? linuxArm64Gnu() : linuxArm64Musl());
  }
  if (process.platform === "darwin") {
    if (process.arch === "x64") return await darwinX64();
    if (process.arch === "arm64") return await darwinArm64();
  }
  return undefined;
}

const linuxX64Gnu = () =>
  import("@ggufembed/linux-x64-gnu/libggufembed.so", { with: { type: "file" } }).then(
    path,
    missing,
  );

const linuxX64Musl = () =>
  import("@ggufembed/linux-x64-musl/libggufembed.so", { with: { type: "file" } }).then(
    path,
    missing,
  );

const linuxArm64Gnu = () =>
  import("@ggufembed/linux-arm64-gnu/libggufembed.so", { with: { type: "file" } }).then(
    path,
    missing,
  );

const linuxArm64Musl = () =>
  import("@ggufembed/linux-arm64-musl/libggufembed.so", { with: { type: "file" } }).then(
    path,
    missing,
  );

const darwinX64 = () =>
  import("@ggufembed/darwin-x64/libggufembed.dylib", { with: { type: "file" } }).then(
    path,
    missing,
  );

const darwinArm64 = () =>
  import("@ggufembed/darwin-arm64/libggufembed.dylib", { with: { type: "file" } }).then(
    path,
    missing,
  );

/** Of this process, that is. A machine may have both C libraries. */
function usesGlibc(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report?.header?.glibcVersionRuntime !== undefined;
}
