import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { open } from "../../src/index.ts";
import { hasShared, sharedNote, sharedPath } from "../reference/golden.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { workplace } from "./model.ts";
import { cli } from "./run-cli.ts";

const place = workplace();
const model = place.file("reranker.gguf");
beforeAll(async () => {
  await makeTinyModel({ architecture: "bert", type: "Q8_0", reranker: true }, model);
});

const QUERY = "the cat";
const DOCUMENTS = ["a dog ran", "the cat sat", "the mat\nof the cat"];
const rerank = (args: readonly string[], stdin = "") =>
  cli(["rerank", "-m", model, ...args], { stdin });

describe("rerank", () => {
  test("prints documents with their scores, the best first", async () => {
    await using reranker = await open(model);
    const results = await reranker.rerank(QUERY, DOCUMENTS);
    const lines = (of: "score" | "raw") =>
      results.map(({ index, [of]: score }) => {
        return `${score.toFixed(4)}  ${DOCUMENTS[index]!.replace("\n", " ")}\n`;
      });
    const { code, stdout, stderr } = await rerank([QUERY, ...DOCUMENTS]);
    expect([code, stdout, stderr]).toEqual([0, lines("score").join(""), ""]);
    expect((await rerank(["--raw", QUERY, ...DOCUMENTS])).stdout).toBe(lines("raw").join(""));
    const best = await rerank(["-k", "1", QUERY, ...DOCUMENTS]);
    expect(best.stdout).toBe(lines("score")[0]!);
  });

  test("takes documents from a file and from standard input", async () => {
    const file = place.file("documents.txt");
    const lines = DOCUMENTS.slice(0, 2).join("\n");
    writeFileSync(file, lines);
    const { stdout } = await rerank([QUERY, ...DOCUMENTS.slice(0, 2)]);
    expect((await rerank([QUERY, "--input", file])).stdout).toBe(stdout);
    expect((await rerank([QUERY, "--input", "-"], lines)).stdout).toBe(stdout);
    expect((await rerank([QUERY], lines)).stdout).toBe(stdout);
  });

  test("with --jsonl gives the scores of each line, in its documents' order", async () => {
    await using reranker = await open(model);
    const queries = [QUERY, "a dog"];
    const stdin = queries
      .map((query) => JSON.stringify({ query, documents: DOCUMENTS }))
      .join("\n");
    for (const of of ["score", "raw"] as const) {
      const { code, stdout } = await rerank(["--jsonl", ...(of === "raw" ? ["--raw"] : [])], stdin);
      expect(code).toBe(0);
      const rows = stdout.trim().split("\n");
      expect(rows).toHaveLength(queries.length);
      for (const [i, query] of queries.entries()) {
        const results = await reranker.rerank(query, DOCUMENTS);
        const scores = results.toSorted((a, b) => a.index - b.index).map((result) => result[of]);
        expect(JSON.parse(rows[i]!)).toEqual({ scores });
      }
    }
    const none = await rerank(["--jsonl"], '{"query":"a","documents":[]}\n\n');
    expect(none.stdout).toBe('{"scores":[]}\n');
  });

  test("tells of documents that were cut", async () => {
    const long = "the cat sat on the mat ".repeat(40);
    const { code, stderr } = await rerank([QUERY, long, "a"]);
    expect(code).toBe(0);
    expect(stderr).toContain("warning: 1 of 2 documents cut to the model's 64 tokens");
    const refused = await rerank(["--truncate", "error", QUERY, "a", long]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("document 2 and the query have ");
    const line = JSON.stringify({ query: long, documents: ["a"] });
    const query = await rerank(["--jsonl"], `{"query":"a","documents":["b"]}\n${line}\n`);
    expect(query.code).toBe(1);
    expect(query.stdout).toStartWith('{"scores":[');
    expect(query.stderr).toContain("standard input:2: the query has 520 tokens");
  });

  test.each([
    ["{", "not valid JSON"],
    ["1", "expected {"],
    ['{"query":1,"documents":[]}', '"query" is not a string'],
    ['{"query":"a"}', '"documents" is not an array of strings'],
    ['{"query":"a","documents":["b",2]}', '"documents" is not an array of strings'],
  ])("names a line that is wrong: %s", async (line, complaint) => {
    const { code, stderr } = await rerank(["--jsonl"], line);
    expect(code).toBe(1);
    expect(stderr).toContain(`standard input:1: ${complaint}`);
  });

  test("says what does not go together", async () => {
    expect((await rerank([])).stderr).toContain("give QUERY");
    expect((await rerank(["--jsonl", "a"])).stderr).toContain("leave QUERY and DOCUMENT out");
    expect((await rerank(["--jsonl", "-k", "1"])).stderr).toContain("--limit is not for --jsonl");
    expect((await rerank(["--jsonl", "a"])).code).toBe(2);
  });

  test("wants a reranker, and embed wants none", async () => {
    const wrong = await cli(["rerank", "-m", place.model, QUERY, "a"]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("is an embedding model, which scores no pairs");
    const vectors = await cli(["embed", "-m", model, "a"]);
    expect(vectors.code).toBe(1);
    expect(vectors.stderr).toContain("is a reranker, which gives no vectors");
  });
});

for (const name of ["rerank-bert", "rerank-xlmr", "rerank-qwen3"]) {
  test.skipIf(!hasShared)(`${name}: --raw gives the reference's scores${sharedNote}`, async () => {
    const lines = readFileSync(sharedPath(`golden/${name}.jsonl`), "utf8")
      .trim()
      .split("\n");
    const pairs: { query: string; document: string; score: number }[] = lines.map((line) =>
      JSON.parse(line),
    );
    const stdin = pairs
      .map(({ query, document }) => JSON.stringify({ query, documents: [document] }))
      .join("\n");
    const path = sharedPath(`models/arch/${name}.gguf`);
    const { stdout } = await cli(["rerank", "-m", path, "--jsonl", "--raw"], { stdin });
    const found = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).scores);
    expect(found).toHaveLength(pairs.length);
    for (const [i, { score }] of pairs.entries()) {
      expect(Math.abs(found[i][0] - score)).toBeLessThanOrEqual(5e-6);
    }
  });
}
