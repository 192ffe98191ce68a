import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { Failure, systemReason } from "../errors.ts";
import { IgnoreFile } from "./ignored.ts";

/** Beside hidden ones. */
const FOLDERS_SKIPPED = new Set(["node_modules", "__pycache__"]);
/** How much of a file is looked at to tell whether it is text, as git does. */
const LOOK_BYTES = 8000;

/** Why a file was left out, for the summary. */
export type SkipReason = "binary" | "too large" | "unreadable" | "a link that leads elsewhere";

export interface WalkOptions {
  /** Globs that a file's path below the folder, or its name, must match; empty for all. */
  readonly include: readonly string[];
  /** Whether to leave out what `.gitignore` files do. */
  readonly ignore: boolean;
  readonly bytesMax: number;
}

/** A file to be read. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

export interface Walked {
  readonly files: readonly FoundFile[];
  readonly skipped: readonly { readonly path: string; readonly reason: SkipReason }[];
}

/**
 * The files of arguments: those that are named, and in folders all but hidden ones, those that git
 * ignores, and those of installed packages. Links are followed to what lies in the same folder, and
 * no file comes twice. Throws `Failure` for an argument that is not there.
 */
export function walk(paths: readonly string[], options: WalkOptions): Walked {
  const walker = new Walker(options);
  for (const path of paths) walker.start(resolve(path));
  return walker;
}

/** A `.gitignore`, and the folder that its paths begin at. */
interface Ignoring {
  readonly folder: string;
  readonly file: IgnoreFile;
}

class Walker implements Walked {
  readonly files: FoundFile[] = [];
  readonly skipped: { path: string; reason: SkipReason }[] = [];
  readonly #options: WalkOptions;
  readonly #globs: readonly Bun.Glob[];
  readonly #seen = new Set<string>();

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#globs = options.include.map((pattern) => new Bun.Glob(pattern));
  }

  start(path: string): void {
    let isFolder: boolean;
    try {
      isFolder = statSync(path).isDirectory();
    } catch (error) {
      throw new Failure(`cannot read ${path}: ${systemReason(error)}`, { cause: error });
    }
    if (isFolder) this.#folder(path, path, outerIgnores(path));
    // Who names a file wants it, whatever its name.
    else this.#file(path);
  }

  #folder(root: string, folder: string, outer: readonly Ignoring[]): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      this.skipped.push({ path: folder, reason: "unreadable" });
      return;
    }
    const file = IgnoreFile.of(folder);
    const ignoring = file === undefined ? outer : [...outer, { folder, file }];
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith(".")) continue;
      const isLink = entry.isSymbolicLink();
      if (isLink && !this.#staysIn(root, path)) continue;
      const isFolder = isLink ? statSync(path).isDirectory() : entry.isDirectory();
      if (this.#options.ignore && isIgnored(ignoring, path, isFolder)) continue;
      if (isFolder) {
        // A link to a folder leads to what is walked anyway, or in circles.
        if (!isLink && !FOLDERS_SKIPPED.has(entry.name)) this.#folder(root, path, ignoring);
      } else if (this.#isWanted(root, path)) this.#file(path);
    }
  }

  #staysIn(root: string, path: string): boolean {
    try {
      if (realpathSync(path).startsWith(realpathSync(root) + sep)) return true;
    } catch {
      // It leads nowhere.
    }
    this.skipped.push({ path, reason: "a link that leads elsewhere" });
    return false;
  }

  #isWanted(root: string, path: string): boolean {
    if (this.#globs.length === 0) return true;
    const below = path.slice(root.length + 1);
    const name = path.slice(path.lastIndexOf(sep) + 1);
    return this.#globs.some((glob) => glob.match(below) || glob.match(name));
  }

  #file(path: string): void {
    const { size, isRegular, real } = look(path);
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    // Sockets, devices and pipes have no end, or nothing to read.
    if (!isRegular) this.skipped.push({ path, reason: "unreadable" });
    else if (size > this.#options.bytesMax) this.skipped.push({ path, reason: "too large" });
    else this.files.push({ path, bytes: size });
  }
}

function look(path: string): { size: number; isRegular: boolean; real: string } {
  try {
    const found = statSync(path);
    return { size: found.size, isRegular: found.isFile(), real: realpathSync(path) };
  } catch {
    return { size: 0, isRegular: false, real: path };
  }
}

/** Of the folders above, up to the one where the repository begins. */
function outerIgnores(path: string): Ignoring[] {
  const found: Ignoring[] = [];
  for (let folder = path; ; ) {
    const isRepository = lstatSync(join(folder, ".git"), { throwIfNoEntry: false }) !== undefined;
    const above = resolve(folder, "..");
    if (isRepository) return found;
    // There is no repository: what lies further up has nothing to say.
    if (above === folder) return [];
    folder = above;
    const file = IgnoreFile.of(folder);
    if (file !== undefined) found.unshift({ folder, file });
  }
}

function isIgnored(ignoring: readonly Ignoring[], path: string, isFolder: boolean): boolean {
  for (const { folder, file } of ignoring.toReversed()) {
    const said = file.says(path.slice(folder.length + 1).replaceAll(sep, "/"), isFolder);
    if (said !== undefined) return said;
  }
  return false;
}

/** What a file holds, or why it is left out. */
export type FileText = { readonly text: string } | { readonly reason: SkipReason };

export async function readText(path: string): Promise<FileText> {
  try {
    const bytes = await Bun.file(path).bytes();
    if (bytes.subarray(0, LOOK_BYTES).includes(0)) return { reason: "binary" };
    return { text: new TextDecoder().decode(bytes) };
  } catch {
    return { reason: "unreadable" };
  }
}
