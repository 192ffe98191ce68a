import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeTexts } from "../../bench/texts.ts";
import { type Embedder, open, openSearchIndex } from "../../src/index.ts";
import { workplace } from "../cli/model.ts";
import { cli } from "../cli/run-cli.ts";
import { failure } from "../failure.ts";
import { freshFolder } from "../fresh-folder.ts";
import { makeTinyModel } from "../reference/tiny.ts";

const QUERY = "the cat";
const TEXTS = makeTexts(80, 6, 3);
const place = workplace();
const folder = freshFolder();
const at = (name: string) => join(folder.path, name);
let model: Embedder;
let rerankerPath: string;
let reranker: Embedder;

beforeAll(async () => {
  rerankerPath = join(dirname(place.model), "reranker.gguf");
  await makeTinyModel({ architecture: "bert", type: "F32", reranker: true }, rerankerPath);
  model = await open(place.model);
  reranker = await open(rerankerPath);
});
afterAll(async () => {
  await model.close();
  await reranker.close();
});

describe("a search with a reranker", () => {
  test.each(["hybrid", "vector", "text"] as const)(
    "by %s: gives the best of fifty chunks in its order",
    async (mode) => {
      await using index = await openSearchIndex({ path: ":memory:", model });
      await index.add(TEXTS.map((text, i) => ({ id: String(i), text })));
      const query = mode === "text" ? TEXTS[0]! : QUERY;
      const first = await index.search(query, { mode, limit: 50 });
      const ranking = await reranker.rerank(
        query,
        first.map(({ text }) => text),
        { topN: 7 },
      );
      const expected = ranking.map(({ index: place, score }) => ({ ...first[place]!, score }));
      expect(await index.search(query, { mode, limit: 7, reranker })).toEqual(expected);
      expect(expected).not.toEqual(first.slice(0, 7));
    },
  );

  test("finds nothing where the first stage does not", async () => {
    await using index = await openSearchIndex({ path: ":memory:", model });
    expect(await index.search(QUERY, { reranker })).toEqual([]);
  });

  test("by an embedding model is refused", async () => {
    await using index = await openSearchIndex({ path: ":memory:", model });
    await index.add({ id: "one", text: "one" });
    const error = await failure(() => index.search(QUERY, { reranker: model }));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain("is an embedding model, which scores no pairs");
  });

  test("is there on the command line", async () => {
    writeFileSync(at("notes.txt"), TEXTS.slice(0, 9).join("\n\n"));
    const options = { cwd: folder.path };
    const indexed = await cli(
      ["index", "-m", place.model, "--max-tokens", "32", "notes.txt"],
      options,
    );
    expect(indexed.code).toBe(0);
    const search = ["search", "--json", "-k", "3", "--rerank", rerankerPath, QUERY];
    const { code, stdout, stderr } = await cli(search, options);
    expect([code, stderr]).toEqual([0, ""]);
    const hits: { text: string; score: number }[] = JSON.parse(stdout);
    expect(hits).toHaveLength(3);
    for (const { text, score } of hits) {
      const [alone] = await reranker.rerank(QUERY, [text]);
      expect(score).toBe(alone!.score);
    }
  });
});
