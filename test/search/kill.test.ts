import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTexts } from "../../bench/texts.ts";
import { workplace } from "../cli/model.ts";
import { cli, cliEnvironment, MAIN } from "../cli/run-cli.ts";
import { freshFolder } from "../fresh-folder.ts";
import { contentsOf, countOf } from "./contents.ts";

const place = workplace();
const folder = freshFolder();

const FILES = 60;
const TABLES = ["passages", "vectors", "codes", "documents", "chunks", "words_docsize"];

/** Files of a few chunks, and one of many, whose first batch is written long before its last. */
function writeFiles(): string {
  const documents = join(folder.path, "documents");
  mkdirSync(documents);
  const texts = [...makeTexts(FILES, 40, 3), ...makeTexts(1, 5000, 4)];
  for (const [i, text] of texts.entries()) {
    writeFileSync(join(documents, `${i}.txt`), text.replaceAll(". ", ".\n"));
  }
  return documents;
}

const command = (index: string, documents: string) => {
  return ["index", "-m", place.model, "--index", index, "--max-tokens", "48", documents];
};

function start(index: string, documents: string) {
  return Bun.spawn([process.execPath, MAIN, ...command(index, documents)], {
    stdout: "pipe",
    stderr: "pipe",
    env: cliEnvironment(),
  });
}

function expectSame(index: string, whole: string): void {
  expect(contentsOf(index)).toEqual(contentsOf(whole));
  for (const table of TABLES) expect(countOf(index, table)).toBe(countOf(whole, table));
}

describe("indexing that is interrupted", () => {
  test("by SIGKILL again and again loses nothing, and ends as if it had not been", async () => {
    const documents = writeFiles();
    const whole = join(folder.path, "whole.db");
    const began = performance.now();
    expect((await cli(command(whole, documents))).code).toBe(0);
    const wholeMs = performance.now() - began;
    const index = join(folder.path, "killed.db");
    const passages: number[] = [];
    const vectors = new Set<unknown>();
    for (let round = 0; round < 6; round++) {
      const child = start(index, documents);
      // From before the file is there to after the end.
      await Bun.sleep(wholeMs * Math.random() * 1.1);
      child.kill("SIGKILL");
      await child.exited;
      if (!(await Bun.file(index).exists())) continue;
      // The schema is one transaction, too.
      const count = hasTables(index) ? countOf(index, "passages") : 0;
      expect(count).toBeGreaterThanOrEqual(passages.at(-1) ?? 0);
      passages.push(count);
      if (count > 0) for (const row of contentsOf(index)) vectors.add(row[10]);
    }
    expect((await cli(command(index, documents))).code).toBe(0);
    expectSame(index, whole);
    // What was complete was not made again.
    const final = new Set(contentsOf(index).map((row) => row[10]));
    expect([...vectors].filter((vector) => !final.has(vector))).toEqual([]);
    const last = await cli([...command(index, documents), "--json"]);
    expect(JSON.parse(last.stdout)).toMatchObject({ unchanged: FILES + 1, embedded: 0 });
  }, 60_000);

  test.each(["SIGINT", "SIGTERM"] as const)(
    "by %s says so, and goes on from there",
    async (signal) => {
      const documents = writeFiles();
      const index = join(folder.path, "index.db");
      const child = start(index, documents);
      while (
        !((await Bun.file(index).exists()) && hasTables(index) && countOf(index, "codes") > 0)
      ) {
        await Bun.sleep(5);
      }
      child.kill(signal);
      expect(await child.exited).toBe(signal === "SIGINT" ? 130 : 143);
      expect(await child.stderr.text()).toContain("interrupted; what is done stays");
      const before = countOf(index, "passages");
      const { stdout, code } = await cli([...command(index, documents), "--json"]);
      expect(code).toBe(0);
      expect(JSON.parse(stdout).embedded).toBe(countOf(index, "passages") - before);
      const whole = join(folder.path, "whole.db");
      await cli(command(whole, documents));
      expectSame(index, whole);
    },
    60_000,
  );
});

describe("processes on one index", () => {
  test("that index the same at once end with each document once", async () => {
    const documents = writeFiles();
    const index = join(folder.path, "both.db");
    const children = [start(index, documents), start(index, documents)];
    const codes = await Promise.all(children.map((child) => child.exited));
    const said = await Promise.all(children.map((child) => child.stderr.text()));
    expect([codes, said]).toEqual([
      [0, 0],
      ["", ""],
    ]);
    const whole = join(folder.path, "whole.db");
    await cli(command(whole, documents));
    expectSame(index, whole);
  }, 60_000);

  test("search while another writes, and see whole documents alone", async () => {
    const documents = writeFiles();
    const index = join(folder.path, "live.db");
    await cli([
      "index",
      "-m",
      place.model,
      "--index",
      index,
      "--max-tokens",
      "48",
      join(documents, "1.txt"),
    ]);
    const child = start(index, documents);
    const counts: number[] = [];
    while (child.exitCode === null) {
      const args = [
        "search",
        "--index",
        index,
        "--mode",
        "text",
        "--json",
        "-k",
        "9999",
        "the a one",
      ];
      const { code, stdout, stderr } = await cli(args);
      expect([code, stderr]).toEqual([0, ""]);
      counts.push(JSON.parse(stdout).length);
    }
    expect(await child.exited).toBe(0);
    expect(counts.length).toBeGreaterThan(1);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  }, 60_000);
});

function hasTables(index: string): boolean {
  try {
    return countOf(index, "codes") >= 0;
  } catch {
    return false;
  }
}
