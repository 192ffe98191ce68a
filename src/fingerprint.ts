import { stat } from "node:fs/promises";
import { sha256OfFile } from "./download/sha256.ts";
import { GgufEmbedError } from "./errors.ts";

/**
 * Raised whenever the engine gives other bits for the same model and text, so that vectors from
 * before and after are told apart.
 */
export const ARITHMETIC_VERSION = 2;

/** A model file as it was when it was opened, and its content's digest when somebody asks. */
export class FileContent {
  readonly #path: string;
  readonly #identity: string | undefined;
  #digest: Promise<string> | undefined;

  private constructor(path: string, identity: string | undefined) {
    this.#path = path;
    this.#identity = identity;
  }

  static async of(path: string): Promise<FileContent> {
    return new FileContent(path, await identityOf(path));
  }

  /**
   * SHA-256 in hexadecimal; the file is read once, in slices. Rejects with `BAD_FILE` if it is not
   * the file any more that was opened.
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
    const digest = await sha256OfFile(this.#path);
    await this.#check();
    return digest;
  }

  async #check(): Promise<void> {
    if ((await identityOf(this.#path)) === this.#identity) return;
    const advice = "it changed while it was open; open it again";
    throw new GgufEmbedError("BAD_FILE", `${this.#path}: ${advice}`);
  }
}

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
