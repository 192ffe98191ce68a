import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readText, type WalkOptions, walk } from "../../src/cli/input/files.ts";
import { freshFolder } from "../fresh-folder.ts";

const folder = freshFolder();
const at = (...names: string[]) => join(folder.path, ...names);

function write(name: string, content: string | Uint8Array = "text\n"): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
}

function names(paths: readonly string[], options: Partial<WalkOptions> = {}) {
  const { files, skipped } = walk(paths, { include: [], ignore: true, bytesMax: 100, ...options });
  const short = (path: string) => path.slice(folder.path.length + 1);
  return {
    files: files.map(({ path }) => short(path)),
    skipped: skipped.map(({ path, reason }) => `${short(path)}: ${reason}`),
  };
}

describe("walking a folder", () => {
  test("finds files in order, but hidden ones and those of installed packages", () => {
    for (const name of ["b.md", "a/z.ts", "a/b/c", ".hidden", ".git/x", "a/node_modules/p/i.js"]) {
      write(name);
    }
    expect(names([at(".")])).toEqual({ files: ["a/b/c", "a/z.ts", "b.md"], skipped: [] });
    // Who names one wants it.
    expect(names([at(".hidden"), at("a", "node_modules")]).files).toEqual([
      ".hidden",
      "a/node_modules/p/i.js",
    ]);
  });

  test("takes only what a glob matches, by the path below the folder or by the name", () => {
    for (const name of ["b.md", "a/z.ts", "a/b.md", "a/b/c.md"]) write(name);
    const files = (...include: string[]) => names([at(".")], { include }).files;
    expect(files("*.md")).toEqual(["a/b/c.md", "a/b.md", "b.md"]);
    expect(files("a/*.md", "*.ts")).toEqual(["a/b.md", "a/z.ts"]);
    expect(files("**/b/*")).toEqual(["a/b/c.md"]);
  });

  test("follows links within it, not out of it nor in circles, and takes no file twice", () => {
    write("in/a.txt");
    write("out/secret.txt");
    symlinkSync(at("in", "a.txt"), at("in", "z.txt"));
    symlinkSync(at("out", "secret.txt"), at("in", "leak.txt"));
    symlinkSync(at("out"), at("in", "leak"));
    symlinkSync(at("in"), at("in", "circle"));
    symlinkSync(at("nowhere"), at("in", "dangling"));
    const { files, skipped } = names([at("in"), at("in", "a.txt")]);
    expect(files).toEqual(["in/a.txt"]);
    expect(skipped).toEqual(
      ["circle", "dangling", "leak", "leak.txt"].map(
        (name) => `in/${name}: a link that leads elsewhere`,
      ),
    );
  });

  test("tells what is too large, and what is no file", () => {
    write("large.txt", "x".repeat(101));
    write("right.txt", "x".repeat(100));
    Bun.spawnSync(["mkfifo", at("pipe")]);
    expect(names([at(".")])).toEqual({
      files: ["right.txt"],
      skipped: ["large.txt: too large", "pipe: unreadable"],
    });
  });

  test("of what is not there says so", () => {
    expect(() => names([at("nothing")])).toThrow(`cannot read ${at("nothing")}: `);
  });
});

describe(".gitignore", () => {
  /** What git itself would list. */
  function listedByGit(): string[] {
    const git = (...args: string[]) => Bun.spawnSync(["git", "-C", folder.path, ...args]);
    git("init", "--quiet");
    const { stdout } = git("ls-files", "--others", "--exclude-standard", "-z");
    const listed = stdout.toString().split("\0");
    return listed.filter((name) => name !== "" && !/(^|\/)\./.test(name)).sort();
  }

  test.skipIf(Bun.which("git") === null)("leaves out what git does (skipped: no git)", () => {
    const rules = `# a comment
*.log
!keep.log
/build/
out
docs/*.tmp
deep/**/x.txt
a{b}.txt
${"trailing.txt   "}
temp?
[xy].dat
`;
    write(".gitignore", rules);
    write("sub/.gitignore", "!*.log\nlocal/\n/only.txt\n");
    for (const name of `one.log keep.log build/x sub/build/x out/x sub/out docs/a.tmp docs/b/a.tmp
      deep/x.txt deep/a/b/x.txt deep/a/y.txt ab.txt a{b}.txt trailing.txt temp1 temp12 x.dat z.dat
      sub/two.log sub/local/x sub/only.txt sub/sub/only.txt sub/x.dat`.split(/\s+/)) {
      write(name);
    }
    const listed = listedByGit();
    expect(listed.length).toBeGreaterThan(8);
    expect(names([at(".")]).files.toSorted()).toEqual(listed);
    // Rules of the folders above count, up to where the repository begins.
    const below = listed.filter((name) => name.startsWith("sub/"));
    expect(names([at("sub")]).files.toSorted()).toEqual(below);
    expect(names([at(".")], { ignore: false }).files).toContain("build/x");
  });
});

describe("reading a file", () => {
  test("takes a NUL among its first bytes for binary, and bad UTF-8 for text", async () => {
    write("binary", Uint8Array.of(80, 0, 81));
    write("latin1", Uint8Array.of(0xe9, 0x0a));
    expect(await readText(at("binary"))).toEqual({ reason: "binary" });
    expect(await readText(at("latin1"))).toEqual({ text: "\uFFFD\n" });
    expect(await readText(at("nothing"))).toEqual({ reason: "unreadable" });
  });
});
