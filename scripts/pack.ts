/**
 * `bun run pack [--all | --target NAME …]`: the packages as they are published, the main one and
 * those of this platform, of all or of some, as folders and tarballs in `dist/packages`.
 */
import { rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled } from "./install.ts";
import { CHOICE, choosePlatforms } from "./packages/choice.ts";
import { buildNative } from "./packages/native.ts";
import { folderOf, pack } from "./packages/pack.ts";
import { MAIN_PACKAGE, packageName, stageMain, stageNative } from "./packages/stage.ts";
import { ROOT } from "./paths.ts";
import { formatMegabytes, logToStderr } from "./process.ts";

const platforms = choosePlatforms(parseArgs({ options: CHOICE }).values);
await ensureInstalled();
const { makeDeclarations } = await import("./reference/declarations.ts");
await makeDeclarations(logToStderr);

const packages = join(ROOT, "dist", "packages");
rmSync(packages, { recursive: true, force: true });
async function finish(folder: string): Promise<void> {
  const tarball = await pack(folder, logToStderr);
  console.log(`${formatMegabytes(statSync(tarball).size).padStart(8)}  ${relative(ROOT, tarball)}`);
}
for (const platform of platforms) {
  const folder = folderOf(packages, packageName(platform));
  await stageNative(folder, platform, await buildNative(platform, logToStderr));
  await finish(folder);
}
const folder = folderOf(packages, MAIN_PACKAGE);
await stageMain(folder);
await finish(folder);
