/**
 * What a package needs beside the sources, made from them in `dist`: the declarations of the public
 * API in one file, so that a consumer's compiler never checks our sources under its own flags,
 * beside it those of the adapters and of queues, which name it, and the file that runtimes other
 * than Bun find. For the reference, a model of each entry point.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { ROOT } from "../paths.ts";
import { type Log, runCommand } from "../process.ts";
import { digestSources, isFresh, writeStamp } from "../stamp.ts";
import { type Item, readModel } from "./model.ts";
import { placeholderModule } from "./placeholder.ts";

const DIST = join(ROOT, "dist");
/** One file of declarations for each of the sources: of use for a moment. */
const MODULES = join(DIST, "modules");
const MODELS = join(DIST, "api");
const ADAPTED = join(DIST, "adapters");
const QUEUE = join(DIST, "queue");
const DECLARATIONS = join(DIST, "index.d.ts");
/** Each an entry point of its own, which uses the public API alone. */
export const ADAPTERS = ["ai-sdk", "langchain", "llamaindex", "chroma"] as const;
/** Modules of `ggufembed/queue` that its declarations consist of: the others are its own affair. */
const QUEUE_MODULES = [
  "enqueue",
  "failed",
  "index",
  "results/collect",
  "status",
  "types",
  "worker",
];
const ENTRIES = ["index", ...ADAPTERS.map((name) => `adapters/${name}`), "queue/index"];
const PLACEHOLDER = join(DIST, "unsupported.cjs");
const STAMP = join(DIST, "stamp");
const SOURCES = ["src", "package.json", "bun.lock", "tsconfig.json", "scripts/reference"];
const TSC = join(ROOT, "node_modules", "typescript", "bin", "tsc");

/** Of an entry point: what the reference is made from. */
const modelOf = (entry: string) => join(MODELS, `${entry.replace("/", "-")}.json`);

/** Whether it had to make them. Throws with every complaint about the sources. */
export async function makeDeclarations(log: Log): Promise<boolean> {
  const sources = digestSources(ROOT, SOURCES, []);
  if (isFresh(STAMP, DECLARATIONS, sources)) return false;
  log("making the declarations");
  // Not all of the folder: executables and packages lie there, too.
  for (const path of [MODULES, MODELS, ADAPTED, QUEUE])
    rmSync(path, { recursive: true, force: true });
  mkdirSync(DIST, { recursive: true });
  const command = [process.execPath, TSC, "-p", join(ROOT, "scripts", "reference")];
  const { exitCode, output } = await runCommand(command, { label: "declarations", log, cwd: ROOT });
  if (exitCode !== 0) throw new Error(`tsc: ${output}`);
  const complaints = ENTRIES.flatMap(extract);
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
  keepModules(join("src", "adapters"), ADAPTED);
  keepModules(join("src", "queue"), QUEUE, QUEUE_MODULES);
  rmSync(MODULES, { recursive: true });
  writeFileSync(PLACEHOLDER, placeholderModule(publicItems()));
  writeStamp(STAMP, DECLARATIONS, sources);
  return true;
}

/** Beside the rolled-up file, which they import from: all of a folder, or these. */
function keepModules(from: string, to: string, names?: readonly string[]): void {
  const modules = join(MODULES, from);
  const files = names?.map((name) => `${name}.d.ts`) ?? readdirSync(modules);
  for (const name of files) {
    const text = readFileSync(join(modules, name), "utf8");
    const path = join(to, name);
    mkdirSync(dirname(path), { recursive: true });
    // What stands there for a consumer's compiler is no TypeScript.
    writeFileSync(path, text.replace(/( from "\.[^"]*)\.ts"/g, '$1.js"'));
  }
}

/** The exported symbols of all entry points; what several export is told once. */
export function publicItems(): Item[] {
  const seen = new Set<string>();
  return ENTRIES.flatMap((entry) => {
    const own = readModel(modelOf(entry)).filter(({ name }) => !seen.has(name));
    for (const { name } of own) seen.add(name);
    return own;
  });
}

/** The declarations of all entry points, one after another. */
export function publicDeclarations(): string {
  const names = ["adapters/*.d.ts", "queue/**/*.d.ts", "*.d.ts"].flatMap((pattern) =>
    [...new Bun.Glob(pattern).scanSync(DIST)].sort(),
  );
  return names.map((name) => readFileSync(join(DIST, name), "utf8")).join("\n");
}

/** Makes the model of an entry point, and gives the complaints about its declarations. */
function extract(entry: string): string[] {
  const complaints: string[] = [];
  Extractor.invoke(extractorConfig(entry), {
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

/** Of the main entry point, declarations are rolled up too; those of adapters name that file. */
function extractorConfig(entry: string): ExtractorConfig {
  const path = join(MODULES, "src", `${entry}.d.ts`);
  const isMain = entry === "index";
  const error = { default: { logLevel: ExtractorLogLevel.Error } };
  const none = { logLevel: ExtractorLogLevel.None };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: path,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          extends: join(ROOT, "scripts", "reference", "tsconfig.json"),
          compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false },
          files: [path],
        },
      },
      apiReport: { enabled: false },
      docModel: { enabled: true, apiJsonFilePath: modelOf(entry) },
      dtsRollup: { enabled: isMain, untrimmedFilePath: DECLARATIONS },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: error,
        // All that is exported is public.
        // What an adapter names and does not export, the main entry point does.
        extractorMessageReporting: {
          ...error,
          "ae-missing-release-tag": none,
          ...(isMain ? {} : { "ae-forgotten-export": none }),
        },
        tsdocMessageReporting: error,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(ROOT, "package.json"),
  });
}
