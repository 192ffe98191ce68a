import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Rule {
  readonly glob: Bun.Glob;
  /** Against the path from the file's folder on; else against the name alone. */
  readonly isAnchored: boolean;
  readonly onlyFolders: boolean;
  readonly isNegated: boolean;
}

/** What the `.gitignore` of a folder says of paths below it; `undefined` where there is none. */
export class IgnoreFile {
  readonly #rules: readonly Rule[];

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  static of(folder: string): IgnoreFile | undefined {
    let text: string;
    try {
      text = readFileSync(join(folder, ".gitignore"), "utf8");
    } catch {
      return undefined;
    }
    return new IgnoreFile(text.split(/\r?\n/).flatMap(ruleOf));
  }

  /**
   * Whether a path is ignored; undefined where no rule speaks of it.
   *
   * @param path from the file's folder on
   */
  says(path: string, isFolder: boolean): boolean | undefined {
    const name = path.slice(path.lastIndexOf("/") + 1);
    // The last rule that fits counts.
    const rule = this.#rules.findLast(
      ({ glob, isAnchored, onlyFolders }) =>
        (isFolder || !onlyFolders) && glob.match(isAnchored ? path : name),
    );
    return rule === undefined ? undefined : !rule.isNegated;
  }
}

function ruleOf(line: string): Rule[] {
  // White space at the end counts only behind a backslash.
  const text = line.replace(/(?<!\\)\s+$/, "");
  if (text === "" || text.startsWith("#")) return [];
  const isNegated = text.startsWith("!");
  const pattern = isNegated ? text.slice(1) : text;
  const onlyFolders = pattern.endsWith("/");
  const body = onlyFolders ? pattern.slice(0, -1) : pattern;
  const isAnchored = body.includes("/");
  // Braces mean something to a glob, and nothing to git.
  const glob = new Bun.Glob(body.replace(/^\//, "").replace(/[{}]/g, "\\$&"));
  return [{ glob, isAnchored, onlyFolders, isNegated }];
}
