import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Embedder, IndexSettings, OpenOptions } from "../index.ts";
import { Failure } from "./errors.ts";
import { openModel, requireModel, warnAbout } from "./model.ts";

/** Made where documents are indexed, unless another is named. */
const FILE = ".ggufembed.db";

/** The options of commands that have an index. */
export const INDEX_OPTION = {
  index: {
    type: "text",
    value: "FILE",
    help: `the index (default: ${FILE} here)`,
  },
} as const;

export function indexToWrite(named: string | undefined): string {
  return resolve(named ?? FILE);
}

/** The index that is named, or the nearest of this folder and those above. */
export function indexToRead(named: string | undefined): string {
  if (named !== undefined) return resolve(named);
  for (let folder = resolve("."); ; folder = dirname(folder)) {
    const path = join(folder, FILE);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) break;
  }
  throw new Failure(
    `there is no ${FILE} in this folder or above: make one with 'ggufembed index', or name ` +
      "another with --index",
  );
}

/** Names of documents are paths from the index on where they lie below it: both may be moved. */
export class DocumentNames {
  /** Of the index. */
  readonly folder: string;

  constructor(index: string) {
    this.folder = dirname(index);
  }

  /** @param path absolute */
  idOf(path: string): string {
    const below = relative(this.folder, path);
    return below.startsWith("..") ? path : below.replaceAll(sep, "/");
  }

  /** As somebody here would write it; the name itself where there is no such file. */
  pathOf(id: string): string {
    const path = resolve(this.folder, id);
    if (!existsSync(path)) return id;
    const here = relative(".", path);
    return here.startsWith("..") ? path : here;
  }
}

/** The model that is named, or else the one that the index was made with. */
export function requireSource(
  named: string | undefined,
  settings: IndexSettings | undefined,
): string {
  return requireModel(named ?? (settings?.model || undefined));
}

/** Opens it as it was when the index was made. */
export async function openModelOf(
  source: string,
  settings: IndexSettings | undefined,
  { threads, precision = settings?.precision }: Pick<OpenOptions, "threads" | "precision">,
): Promise<Embedder> {
  const model = await openModel(source, { threads, precision, pooling: settings?.pooling });
  warnAbout(model.config.warnings);
  return model;
}
