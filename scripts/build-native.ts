/**
 * `bun run build:native [--all | --target NAME …]`: the native library for this platform, for all
 * or for some, each cross-compiled by the one pinned Zig into `zig-out/native`.
 */
import { statSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { CHOICE, choosePlatforms } from "./packages/choice.ts";
import { buildNative } from "./packages/native.ts";
import { ROOT } from "./paths.ts";
import { formatMegabytes, logToStderr } from "./process.ts";

for (const platform of choosePlatforms(parseArgs({ options: CHOICE }).values)) {
  const path = await buildNative(platform, logToStderr);
  console.log(`${formatMegabytes(statSync(path).size).padStart(8)}  ${relative(ROOT, path)}`);
}
