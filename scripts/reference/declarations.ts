/**
 * What a package needs beside the sources, made from them in `dist`: the declarations of the public
 * API in one file, so that a consumer's compiler never checks our sources under its own flags, and
 * the file that runtimes other than Bun find. Beside them, for the reference, a model of the API.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { ROOT } from "../paths.ts";
import { type Log, runCommand } from "../process.ts";
import { digestSources, isFresh, writeStamp } from "../stamp.ts";
import { readModel } from "./model.ts";
import { placeholderModule } from "./placeholder.ts";

const DIST = join(ROOT, "dist");
/** One file of declarations for each of the sources: of use for a moment. */
const MODULES = join(DIST, "modules");
export const DECLARATIONS = join(DIST, "index.d.ts");
const PLACEHOLDER = join(DIST, "unsupported.cjs");
const STAMP = join(DIST, "stamp");
const SOURCES = ["src", "package.json", "bun.lock", "tsconfig.json", "scripts/reference"];
const TSC = join(ROOT, "node_modules", "typescript", "bin", "tsc");

export const API_MODEL = join(DIST, "api.json");

/** Whether it had to make them. Throws with every complaint about the sources. */
export async function makeDeclarations(log: Log): Promise<boolean> {
  const sources = digestSources(ROOT, SOURCES, []);
  if (isFresh(STAMP, DECLARATIONS, sources)) return false;
  log("making the declarations");
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST);
  const command = [process.execPath, TSC, "-p", join(ROOT, "scripts", "reference")];
  const { exitCode, output } = await runCommand(command, { label: "declarations", log, cwd: ROOT });
  if (exitCode !== 0) throw new Error(`tsc: ${output}`);
  const complaints = extract();
  rmSync(MODULES, { recursive: true });
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
  writeFileSync(PLACEHOLDER, placeholderModule(readModel(API_MODEL)));
  writeStamp(STAMP, DECLARATIONS, sources);
  return true;
}

/** Rolls the declarations up into one file, and gives its complaints about them. */
function extract(): string[] {
  const complaints: string[] = [];
  Extractor.invoke(extractorConfig(), {
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel !== ExtractorLogLevel.Error) return;
      const { sourceFilePath: path, sourceFileLine: line, messageId, text } = message;
      const where = path === undefined ? "" : `${path.slice(MODULES.length + 1)}:${line}: `;
      complaints.push(`${where}${text} (${messageId})`);
    },
  });
  return complaints;
}

function extractorConfig(): ExtractorConfig {
  const entry = join(MODULES, "src", "index.d.ts");
  const error = { default: { logLevel: ExtractorLogLevel.Error } };
  const none = { logLevel: ExtractorLogLevel.None };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: entry,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          extends: join(ROOT, "scripts", "reference", "tsconfig.json"),
          compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false },
          files: [entry],
        },
      },
      apiReport: { enabled: false },
      docModel: { enabled: true, apiJsonFilePath: API_MODEL },
      dtsRollup: { enabled: true, untrimmedFilePath: DECLARATIONS },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: error,
        // All that is exported is public.
        extractorMessageReporting: { ...error, "ae-missing-release-tag": none },
        tsdocMessageReporting: error,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(ROOT, "package.json"),
  });
}
