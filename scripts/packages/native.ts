import { join } from "node:path";
import { ensureBuilt, type Product } from "../build.ts";
import { ROOT } from "../paths.ts";
import type { Log } from "../process.ts";
import { libraryName, type Platform } from "./platforms.ts";

/** Builds the library of a platform, from any other, unless it is up to date. Gives its path. */
export async function buildNative(platform: Platform, log: Log): Promise<string> {
  const folder = join("native", platform.name);
  const product: Product = {
    name: `the native library for ${platform.name}`,
    step: "install",
    options: [`-Dtarget=${platform.zigTarget}`, "--prefix", join("zig-out", folder)],
    output: join(folder, "lib", libraryName(platform)),
  };
  await ensureBuilt(log, product);
  return join(ROOT, "zig-out", product.output);
}
