import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkKind, resultsError } from "./errors.ts";
import type { ResultBatch, ResultKind } from "./types.ts";

/*
 * ggufembed.json                what all vectors have in common
 * RUN/MILLION/POSITION.EXT      the results of a batch
 * .partial/                     files that are being written, and what killed workers left of them
 *
 * RUN is a digest of the input's name; POSITION is where the batch begins in it, so the order of
 * names is that of the input. A batch that is written again replaces itself.
 */
const MANIFEST = "ggufembed.json";
const PARTIAL = ".partial";
/** A file that nobody has finished by now has nobody any more. */
const PARTIAL_AGE_MS = 3_600_000;
const TEXTS_PER_FOLDER = 1_000_000;
const DIGITS = 12;
const ADVICE = "name a folder that may be written";

/** A folder of files that appear whole. */
export class ResultFolder {
  readonly #path: string;
  readonly #extension: string;
  readonly #made = new Set<string>();

  private constructor(path: string, extension: string) {
    this.#path = path;
    this.#extension = extension;
  }

  static async open(path: string, extension: string, kind: ResultKind): Promise<ResultFolder> {
    try {
      await mkdir(join(path, PARTIAL), { recursive: true });
      const folder = new ResultFolder(path, extension);
      await folder.#keepKind({ ...kind, format: extension });
      await folder.#sweep();
      return folder;
    } catch (error) {
      throw resultsError(path, error, ADVICE);
    }
  }

  /** Durable when it resolves: the file, and its name. */
  async put({ run, position }: Omit<ResultBatch, "rows">, bytes: Uint8Array): Promise<void> {
    const million = Math.floor(position / TEXTS_PER_FOLDER);
    const folder = join(this.#path, digestOf(run), String(million).padStart(DIGITS / 2, "0"));
    const name = `${String(position).padStart(DIGITS, "0")}.${this.#extension}`;
    try {
      await this.#make(folder);
      const partial = await this.#write(bytes);
      await rename(partial, join(folder, name));
      await sync(folder);
    } catch (error) {
      throw resultsError(join(folder, name), error, ADVICE);
    }
  }

  async #make(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    await mkdir(folder, { recursive: true });
    await sync(dirname(folder));
    await sync(this.#path);
    this.#made.add(folder);
  }

  async #write(bytes: Uint8Array): Promise<string> {
    const path = join(this.#path, PARTIAL, randomUUID());
    const file = await open(path, "wx");
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
    return path;
  }

  /** By a link, which of several workers at once only one can make. */
  async #keepKind(kind: ResultKind & { readonly format: string }): Promise<void> {
    const path = join(this.#path, MANIFEST);
    const own = await this.#write(new TextEncoder().encode(`${JSON.stringify(kind)}\n`));
    try {
      await link(own, path);
      await sync(this.#path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    } finally {
      await rm(own, { force: true });
    }
    const kept = JSON.parse(await readFile(path, "utf8"));
    checkKind(this.#path, kept, kind);
    if (kept.format !== kind.format) {
      throw new Error(`it has results as ${kept.format}, not ${kind.format}`);
    }
  }

  async #sweep(): Promise<void> {
    const folder = join(this.#path, PARTIAL);
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
      if (age > PARTIAL_AGE_MS) await rm(path, { force: true });
    }
  }
}

/** The files of a folder's batches, in the order of their inputs. Rejects with `RESULTS`. */
export async function* resultFiles(path: string, extension: string): AsyncGenerator<string> {
  try {
    await stat(join(path, MANIFEST));
    for (const run of await folders(path)) {
      for (const million of await folders(join(path, run))) {
        const folder = join(path, run, million);
        const names = (await readdir(folder)).filter((name) => name.endsWith(`.${extension}`));
        for (const name of names.sort()) yield join(folder, name);
      }
    }
  } catch (error) {
    throw resultsError(path, error, "name a folder that workers have written to");
  }
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return names.filter((name) => name !== PARTIAL).sort();
}

function digestOf(run: string): string {
  return new Bun.CryptoHasher("sha256").update(run).digest("hex").slice(0, 16);
}

/** Makes names in a folder durable. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
