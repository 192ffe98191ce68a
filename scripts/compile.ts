/**
 * `bun run compile [--all | --target NAME …] [--outfile FILE]`: the command line as one executable
 * that needs nothing else: `dist/bin/ggufembed-NAME` for each platform, or `FILE` for one.
 */
import { statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CHOICE, choosePlatforms } from "./packages/choice.ts";
import { compile } from "./packages/compile.ts";
import { buildNative } from "./packages/native.ts";
import { ROOT } from "./paths.ts";
import { formatMegabytes, logToStderr } from "./process.ts";

const { values } = parseArgs({ options: { ...CHOICE, outfile: { type: "string" } } });
const platforms = choosePlatforms(values);
if (values.outfile !== undefined && platforms.length > 1) {
  throw new Error("--outfile names one file: give one --target with it");
}
for (const platform of platforms) {
  const library = await buildNative(platform, logToStderr);
  const named = values.outfile === undefined ? undefined : resolve(values.outfile);
  const outfile = named ?? join(ROOT, "dist", "bin", `ggufembed-${platform.name}`);
  await compile(platform, library, outfile, logToStderr);
  console.log(`${formatMegabytes(statSync(outfile).size).padStart(8)}  ${relative(ROOT, outfile)}`);
}
