import { resolve, sep } from "node:path";
import type { IndexDocument } from "../../index.ts";
import type { DocumentNames } from "../index-file.ts";
import { type FoundFile, readText, type SkipReason, type Walked } from "./files.ts";

interface Skipped {
  readonly path: string;
  readonly reason: SkipReason;
}

/** Files as documents, read one after another, and what became of those that are none. */
export class DocumentReader {
  readonly skipped: Skipped[];
  readonly #files: readonly FoundFile[];
  readonly #names: DocumentNames;
  /** Ids that are of this run, or that nothing is known of. */
  readonly #kept = new Set<string>();
  /** Bytes of the first so many documents. */
  readonly #bytes: number[] = [0];

  constructor({ files, skipped }: Walked, names: DocumentNames) {
    this.#files = files;
    this.#names = names;
    this.skipped = [...skipped];
  }

  /** Bytes of all files. */
  get size(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes of the first so many documents that were read. */
  bytesOf(documents: number): number {
    return this.#bytes[Math.min(documents, this.#bytes.length - 1)]!;
  }

  async *documents(): AsyncGenerator<IndexDocument> {
    let total = 0;
    for (const { path, bytes } of this.#files) {
      const found = await readText(path);
      total += bytes;
      if ("reason" in found) {
        this.skipped.push({ path, reason: found.reason });
        continue;
      }
      const id = this.#names.idOf(path);
      this.#kept.add(id);
      this.#bytes.push(total);
      yield { id, text: found.text };
    }
  }

  /** Which of the documents in folders are not there any more, once all have been read. */
  gone(ids: readonly string[], folders: readonly string[], globs: readonly string[]): string[] {
    const matchers = globs.map((glob) => new Bun.Glob(glob));
    const unknown = this.skipped.filter(({ reason }) => reason === "unreadable");
    const isBelow = (path: string, folder: string) => path.startsWith(folder + sep);
    return ids.filter((id) => {
      const path = resolve(this.#names.folder, id);
      const root = folders.find((folder) => isBelow(path, folder));
      if (root === undefined || this.#kept.has(id)) return false;
      // It may be there, for all we know.
      if (unknown.some((each) => path === each.path || isBelow(path, each.path))) return false;
      const below = path.slice(root.length + 1);
      const name = path.slice(path.lastIndexOf(sep) + 1);
      return matchers.length === 0 || matchers.some((it) => it.match(below) || it.match(name));
    });
  }
}
