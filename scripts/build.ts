/**
 * `bun run build`: the native library in release mode, and the declarations for those who use the
 * package, if they are not there or not of today.
 */
import { join } from "node:path";
import { GgufEmbedError } from "../src/errors.ts";
import { CACHE, ROOT } from "./paths.ts";
import { type Finished, type Log, logToStderr, runCommand } from "./process.ts";
import { digestSources, isFresh, writeStamp } from "./stamp.ts";
import { ZIG_VERSION } from "./zig-version.ts";

const SOURCES = ["build.zig", "build.zig.zon", "zig"];
const OPTIONS = ["-Doptimize=ReleaseFast"];
export const LIBRARY_NAME =
  process.platform === "darwin" ? "libggufembed.dylib" : "libggufembed.so";

/** What `zig build` makes from the same sources, by one of its steps. */
export interface Product {
  /** As messages call it. */
  readonly name: string;
  readonly step: string;
  /** Beside those of every build. */
  readonly options?: readonly string[];
  /** Below `zig-out`. */
  readonly output: string;
}

const LIBRARY: Product = {
  name: "the native library",
  step: "install",
  output: join("lib", LIBRARY_NAME),
};

/** The process that bench/yardstick.ts drives. */
export const YARDSTICK: Product = {
  name: "the yardstick",
  step: "yardstick",
  output: join("bin", process.platform === "win32" ? "yardstick.exe" : "yardstick"),
};

/**
 * Builds a product unless it is up to date, which takes a few milliseconds to see. Returns whether
 * it had to. Throws `NATIVE` where the compiler refuses.
 */
export async function ensureBuilt(log: Log = logToStderr, product = LIBRARY): Promise<boolean> {
  const { name, step } = product;
  const output = join(ROOT, "zig-out", product.output);
  const stamp = join(ROOT, "zig-out", `${product.output.replaceAll(/\W+/g, "-")}.stamp`);
  const options = [...OPTIONS, ...(product.options ?? [])];
  const sources = digestSources(ROOT, SOURCES, [ZIG_VERSION, process.platform, ...options]);
  if (isFresh(stamp, output, sources)) return false;
  // Imported here: nothing to build is the common case, and must cost nothing.
  const { findZig } = await import("./zig.ts");
  const zig = await findZig(undefined, log);
  log(`building ${name} (about a minute the first time)`);
  const finished = await runZigBuild(zig, [step, ...options], "building", log);
  if (finished.exitCode !== 0) {
    throw new GgufEmbedError(
      "NATIVE",
      `zig build ${step} failed with exit code ${finished.exitCode}\n${finished.output}`,
    );
  }
  writeStamp(stamp, output, sources);
  log(`  built in ${finished.seconds.toFixed(1)} s`);
  return true;
}

/** Runs `zig build` with its caches in the checkout, unless the user has a global one. */
export function runZigBuild(
  zig: string,
  parameters: readonly string[],
  label: string,
  log: Log,
): Promise<Finished> {
  const ZIG_GLOBAL_CACHE_DIR = process.env.ZIG_GLOBAL_CACHE_DIR || join(CACHE, "zig-global");
  return runCommand([zig, "build", ...parameters], {
    label,
    log,
    cwd: ROOT,
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR },
  });
}

/** For scripts: builds, or leaves the process with the reason on stderr. */
export async function buildOrExit(log: Log = logToStderr): Promise<boolean> {
  try {
    return await ensureBuilt(log);
  } catch (error) {
    if (!(error instanceof GgufEmbedError)) throw error;
    log(`error: ${error.message}`);
    process.exit(1);
  }
}

/** The package's declarations, which need the development packages. */
async function buildDeclarations(): Promise<boolean> {
  const { ensureInstalled } = await import("./install.ts");
  await ensureInstalled();
  const { makeDeclarations } = await import("./reference/declarations.ts");
  return await makeDeclarations(logToStderr);
}

if (import.meta.main) {
  if (!(await buildOrExit())) logToStderr("the native library is up to date");
  if (!(await buildDeclarations())) logToStderr("the declarations are up to date");
}
