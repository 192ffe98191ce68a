import { describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { workplace } from "../cli/model.ts";
import { type CliOptions, cli } from "../cli/run-cli.ts";
import { freshFolder } from "../fresh-folder.ts";

const place = workplace();
const folder = freshFolder();
const at = (...names: string[]) => join(folder.path, ...names);

function write(name: string, text: string): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}

const run = (args: readonly string[], options: CliOptions = {}) =>
  cli(args, { cwd: folder.path, ...options });

async function index(...args: string[]) {
  const { code, stdout, stderr } = await run(["index", "-m", place.model, "--json", ...args]);
  expect([code, stderr]).toEqual([0, ""]);
  const { added, changed, removed, unchanged, embedded } = JSON.parse(stdout);
  return { added, changed, removed, unchanged, embedded };
}

async function search(...args: string[]) {
  const { code, stdout, stderr } = await run(["search", "--json", ...args]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

describe("ggufembed index", () => {
  test("adds, changes, renames and removes as the folder does", async () => {
    write("docs/one.md", "# One\n\nA red box.\n");
    write("docs/two.md", "# Two\n\nA blue box.\n");
    write("docs/sub/three.md", "# Three\n\nA green box.\n");
    write("elsewhere.md", "Not in the folder.\n");
    expect(await index("docs", "elsewhere.md")).toEqual({
      added: 4,
      changed: 0,
      removed: 0,
      unchanged: 0,
      embedded: 4,
    });
    write("docs/one.md", "# One\n\nA purple box.\n");
    renameSync(at("docs", "two.md"), at("docs", "deux.md"));
    rmSync(at("docs", "sub"), { recursive: true });
    expect(await index("docs")).toEqual({
      added: 1,
      changed: 1,
      removed: 2,
      unchanged: 0,
      embedded: 1,
    });
    // A file that is gone may be named; others of the folder are not looked at.
    rmSync(at("docs", "one.md"));
    rmSync(at("elsewhere.md"));
    expect(await index("elsewhere.md")).toMatchObject({ removed: 1, unchanged: 0 });
    expect(await index("docs", "--glob", "*.txt")).toMatchObject({ removed: 0 });
    expect(await index("docs")).toMatchObject({ removed: 1, unchanged: 1 });
  });

  test("takes standard input as a document, under its own name", async () => {
    const args = ["index", "-m", place.model, "-", "--name", "letter"];
    const { code, stdout } = await run(args, { stdin: "Dear all,\nthe moon is far.\n" });
    expect([code, stdout]).toEqual([
      0,
      `1 added, 0 changed, 0 removed, 0 unchanged; 1 chunks embedded\n${stdout.split("\n")[1]}\n`,
    ]);
    expect((await search("moon"))[0]).toMatchObject({ path: "letter", line: 1, lineEnd: 2 });
  });

  test("says what it left out, and why", async () => {
    write("a.txt", "text");
    write("b.bin", "\0\0");
    write("c.bin", "\0");
    write("d.txt", "x".repeat(2 ** 20 + 1));
    const { code, stdout, stderr } = await run(["index", "-m", place.model, "."]);
    expect([code, stdout.split(";")[0]]).toEqual([0, "1 added, 0 changed, 0 removed, 0 unchanged"]);
    expect(stderr).toBe(
      "ggufembed: skipped 1 file (too large): d.txt\n" +
        "ggufembed: skipped 2 files (binary): b.bin, …\n",
    );
  });

  test("needs no -m again, and refuses another model", async () => {
    write("a.txt", "text");
    await index(".");
    expect((await run(["index", "."])).stdout).toStartWith("0 added, 0 changed, 0 removed, 1 ");
    const options = ["--precision", "high"];
    const { code, stderr } = await run(["index", "-m", place.model, ...options, "."]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/its vectors are of .*: open that model as it was, or index again/);
    const other = await run(["index", "--max-tokens", "20", "."]);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("maxTokens is 20, and the index ");
  });

  test("without a model, a path, or one that is there, says so", async () => {
    const cases: [string[], number, string][] = [
      [["index", "."], 2, "which model? give -m MODEL"],
      [["index", "-m", place.model], 2, "what to index? give DIR, FILE or -"],
      [["index", "-m", place.model, "nothing"], 1, "nothing: "],
    ];
    for (const [args, code, message] of cases) {
      const ended = await run(args);
      expect([args, ended.code]).toEqual([args, code]);
      expect(ended.stderr).toContain(message);
    }
  });
});

describe("ggufembed search", () => {
  test("shows path, lines and the lines that have the words, from any folder below", async () => {
    write("docs/a.md", "# Head\n\none\n\ntwo\nthree zebras\nfour\n");
    await index("docs");
    const { code, stdout } = await run(["search", "-k", "1", "zebras", "four"]);
    expect([code, stdout]).toEqual([
      0,
      "0.0328  docs/a.md:1-7\n     5  two\n     6  three zebras\n     7  four\n",
    ]);
    const below = await run(["search", "-k", "1", "zebras"], { cwd: at("docs") });
    expect(below.stdout).toStartWith("0.0328  a.md:1-7\n");
  });

  test("prints JSON, an array or a line each, and filters by path", async () => {
    write("a.md", "One box.\n");
    write("b.md", "Two boxes.\n");
    await index(".");
    const rows = await search("boxes", "--in", "b*");
    expect(rows).toEqual([
      {
        path: "b.md",
        id: "b.md",
        text: "Two boxes.",
        start: 0,
        end: 10,
        line: 1,
        lineEnd: 1,
        score: expect.any(Number),
        similarity: expect.any(Number),
      },
    ]);
    const { stdout } = await run(["search", "--jsonl", "--mode", "vector", "--exact", "boxes"]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).path).sort()).toEqual(["a.md", "b.md"]);
    expect(await search("nothing-like-this", "--mode", "text")).toEqual([]);
  });

  test("without an index, a query or a result says so", async () => {
    const none = await run(["search", "x"]);
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain("make one with 'ggufembed index'");
    expect((await run(["search", " "])).code).toBe(2);
    expect((await run(["search", "--index", "nothing.db", "x"])).stderr).toContain(
      "nothing.db: there is no index",
    );
    write("a.md", "One box.\n");
    await index(".");
    const { code, stdout, stderr } = await run(["search", "--mode", "text", "zebra"]);
    expect([code, stdout, stderr]).toEqual([0, "", "ggufembed: nothing was found\n"]);
  });
});
