import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../paths.ts";
import { type Log, runOrThrow } from "../process.ts";
import { extensionPackage, type Platform } from "./platforms.ts";
import { MAIN_PACKAGE, packageName, stageMain, stageNative } from "./stage.ts";

/** Optional for who installs the package; an executable can get nothing later. */
const QUEUE_PACKAGES = ["bullmq", "hyparquet-writer", "ioredis"];

/**
 * Makes a single executable of the command line for a platform, with this library in it. For
 * another platform than this one Bun fetches itself, once.
 */
export async function compile(
  platform: Platform,
  library: string,
  outfile: string,
  log: Log,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ggufembed-compiling-"));
  try {
    // As installed there: the checkout's own library would be this machine's.
    const main = join(folder, "node_modules", MAIN_PACKAGE);
    await stageMain(main, ["src"]);
    await stageNative(join(folder, "node_modules", packageName(platform)), platform, library);
    const extension = extensionPackage(platform);
    const hasExtension = existsSync(join(ROOT, "node_modules", extension));
    if (!hasExtension) log(`${platform.name} goes without search: ${extension} is not installed`);
    const others = [...Object.keys(packageJson.dependencies), ...QUEUE_PACKAGES];
    for (const name of hasExtension ? [...others, extension] : others) {
      symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
    }
    const command = [
      process.execPath,
      "build",
      "--compile",
      `--target=${platform.bunTarget}`,
      // What lies in the folder where somebody runs it is none of its business.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      join(main, "src", "cli", "main.ts"),
      "--outfile",
      outfile,
    ];
    await runOrThrow(command, `compiling for ${platform.name}`, log, {}, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
