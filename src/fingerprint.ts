import { stat } from "node:fs/promises";
import { sha256OfChunks, sha256OfFile } from "./download/sha256.ts";
import { GgufEmbedError } from "./errors.ts";
import { readGguf } from "./gguf/reader.ts";
import { shardPaths } from "./gguf/shard-name.ts";
import { wasSplit } from "./gguf/shards.ts";
import { unsplit } from "./gguf/unsplit.ts";

/**
 * Raised whenever the engine gives other bits for the same model and text, so that vectors from
 * before and after are told apart.
 */
export const ARITHMETIC_VERSION = 3;

/**
 * A model's file as it was when it was opened, or all its shards, and its content's digest when
 * somebody asks.
 */
export class FileContent {
  readonly #path: string;
  /** Of each file that belongs to the path by its name. */
  readonly #identities: readonly (string | undefined)[];
  #digest: Promise<string> | undefined;

  private constructor(path: string, identities: readonly (string | undefined)[]) {
    this.#path = path;
    this.#identities = identities;
  }

  static async of(path: string): Promise<FileContent> {
    return new FileContent(path, await identitiesOf(path));
  }

  /**
   * SHA-256 in hexadecimal of the file; of a split model, and of one that was put together again,
   * of the file that was split. All is read once, in slices. Rejects with `BAD_FILE` if it is not
   * any more what was opened.
   */
  sha256(): Promise<string> {
    this.#digest ??= this.#read().catch((error) => {
      this.#digest = undefined;
      throw error;
    });
    return this.#digest;
  }

  async #read(): Promise<string> {
    await this.#check();
    const file = await readGguf(this.#path);
    const digest = wasSplit(file) ? sha256OfChunks(unsplit(file)) : sha256OfFile(this.#path);
    const found = await digest;
    await this.#check();
    return found;
  }

  async #check(): Promise<void> {
    const found = await identitiesOf(this.#path);
    if (found.every((identity, i) => identity === this.#identities[i])) return;
    const advice = "it changed while it was open; open it again";
    throw new GgufEmbedError("BAD_FILE", `${this.#path}: ${advice}`);
  }
}

const identitiesOf = (path: string) => Promise.all(shardPaths(path).map(identityOf));

/** Undefined for a file that is not there: whoever opens it says so better. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join(" ");
  } catch {
    return undefined;
  }
}

/** A short name for everything that `parts` say: equal for equal parts, in any process. */
export function nameOf(parts: readonly (string | number | boolean)[]): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
