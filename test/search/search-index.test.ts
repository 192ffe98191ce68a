import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTexts } from "../../bench/texts.ts";
import {
  type Embedder,
  type IndexDocument,
  open,
  openSearchIndex,
  type SearchIndexOptions,
} from "../../src/index.ts";
import { workplace } from "../cli/model.ts";
import { failure } from "../failure.ts";
import { freshFolder } from "../fresh-folder.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { contentsOf, countOf } from "./contents.ts";

const place = workplace();
const folder = freshFolder();
const at = (name: string) => join(folder.path, name);
let model: Embedder;
beforeAll(async () => {
  model = await open(place.model);
});
afterAll(() => model.close());

/** Verbatim: then a text's own vector is what it is found by. */
const VERBATIM = { documentTask: null, queryTask: null } as const;
const openIndex = (options: Partial<SearchIndexOptions> = {}) =>
  openSearchIndex({ path: at("index.db"), model, maxTokens: 64, ...VERBATIM, ...options });

const [NOTE, OTHER, LONG] = [...makeTexts(2, 6, 1), ...makeTexts(1, 200, 2)] as [
  string,
  string,
  string,
];
const DOCUMENTS: IndexDocument[] = [
  { id: "note", text: NOTE, metadata: { language: "en", year: 2024, draft: true } },
  { id: "folder/other", text: OTHER, metadata: { language: "de", year: 1, draft: false } },
  { id: "folder/long", text: `# Head\n\n${LONG.replaceAll(". ", ".\n")}\n` },
];

describe("an index", () => {
  test("finds a text by its own vector, with its place and what was added with it", async () => {
    await using index = await openIndex();
    expect(await index.add(DOCUMENTS)).toMatchObject({ added: 3, changed: 0, unchanged: 0 });
    for (const { id, text, metadata } of DOCUMENTS.slice(0, 2)) {
      const [first] = await index.search(text, { mode: "vector" });
      const [line, lineEnd] = [1, 1];
      expect(first).toMatchObject({ id, text, start: 0, end: text.length, line, lineEnd });
      expect(first?.metadata).toEqual(metadata!);
      // float16 takes some 1e-5 from a cosine of 1.
      expect(first?.similarity).toBeCloseTo(1, 4);
      expect(first?.score).toBe(first!.similarity!);
    }
    expect(await index.search(NOTE, { limit: 2 })).toHaveLength(2);
  });

  test("knows the lines of every chunk of a long document", async () => {
    await using index = await openIndex({ overlap: 8 });
    await index.add(DOCUMENTS);
    const { text } = DOCUMENTS[2]!;
    const hits = await index.search(LONG.slice(0, 80), { limit: 100, filter: { id: "*/long" } });
    expect(hits.length).toBeGreaterThan(8);
    for (const hit of hits) {
      expect(hit.text).toBe(text.slice(hit.start, hit.end));
      expect(hit.line).toBe(text.slice(0, hit.start).split("\n").length);
      expect(hit.lineEnd).toBe(text.slice(0, hit.end).split("\n").length);
      expect(hit).not.toHaveProperty("metadata");
    }
  });

  test("finds by words alone, without a model, whatever the query looks like", async () => {
    {
      await using index = await openIndex();
      await index.add({ id: "a", text: 'The zebra\'s café: x_y, 東京 and "quotes".' });
      await index.add({ id: "b", text: "Nothing of the kind." });
    }
    await using index = await openSearchIndex({ path: at("index.db"), create: false });
    const ids = async (query: string) =>
      (await index.search(query, { mode: "text" })).map(({ id }) => id);
    for (const query of ["ZEBRA", "cafe", "x_y", "東京", '"quotes"', 'AND zebra* NEAR( -a: ^"']) {
      expect([query, await ids(query)]).toEqual([query, ["a"]]);
    }
    for (const query of ["", '" * ( ) : ^ - \0', "OR", "🦓"]) {
      expect([query, await ids(query)]).toEqual([query, []]);
    }
    expect(await ids("the kind")).toEqual(["b", "a"]);
    const [hit] = await index.search("zebra", { mode: "text" });
    expect(hit!.score).toBeGreaterThan(0);
    expect(hit).not.toHaveProperty("similarity");
  });

  test("joins both orders: what is first in both has the highest score there is", async () => {
    await using index = await openIndex();
    await index.add(DOCUMENTS);
    const hits = await index.search(NOTE, { limit: 50 });
    expect(hits[0]).toMatchObject({ id: "note", score: 2 / 61 });
    expect(hits.map(({ score }) => score)).toEqual(
      hits.map(({ score }) => score).sort((a, b) => b - a),
    );
    expect(hits.every(({ similarity }) => similarity !== undefined)).toBe(true);
  });

  test("filters by id and by metadata, types and all", async () => {
    await using index = await openIndex();
    await index.add([
      ...DOCUMENTS,
      { id: "one", text: "One.", metadata: { draft: 1, year: null } },
    ]);
    const found = async (filter: object) => {
      const orders = (["vector", "text", "hybrid"] as const).map(async (mode) => {
        const hits = await index.search(`${NOTE} ${OTHER} one`, { filter, mode, limit: 100 });
        return [...new Set(hits.map(({ id }) => id))].sort().join();
      });
      const [first, ...others] = await Promise.all(orders);
      expect(others).toEqual([first!, first!]);
      expect(
        index
          .documents(filter)
          .map(({ id }) => id)
          .join(),
      ).toBe(first!);
      return first;
    };
    expect(await found({ metadata: { language: "de" } })).toBe("folder/other");
    expect(await found({ metadata: { draft: true } })).toBe("note");
    expect(await found({ metadata: { draft: 1 } })).toBe("one");
    expect(await found({ metadata: { year: null } })).toBe("one");
    expect(await found({ metadata: { year: 2024, language: "en" } })).toBe("note");
    expect(await found({ id: "n*", metadata: { language: "de" } })).toBe("");
    expect(await found({ id: "?ote" })).toBe("note");
  });
});

describe("adding again", () => {
  test("leaves alone what is there, and embeds nothing", async () => {
    await using index = await openIndex();
    const first = await index.add(DOCUMENTS);
    const before = contentsOf(at("index.db"));
    expect(first.embedded).toBe(countOf(at("index.db"), "passages"));
    const again = await index.add(DOCUMENTS);
    expect(again).toEqual({ added: 0, changed: 0, unchanged: 3, embedded: 0, tokens: 0 });
    expect(contentsOf(at("index.db"))).toEqual(before);
  });

  test("embeds only what is new of a changed document, and nothing of a renamed one", async () => {
    await using index = await openIndex();
    await index.add(DOCUMENTS);
    const long = DOCUMENTS[2]!;
    const changed = await index.add({
      ...long,
      text: long.text.replace("# Head", "# Another head"),
    });
    expect(changed).toMatchObject({ added: 0, changed: 1 });
    expect(changed.embedded).toBeGreaterThan(0);
    expect(changed.embedded).toBeLessThan(4);
    // What it no longer has is gone.
    expect(countOf(at("index.db"), "passages")).toBe(index.stats().chunks);
    const renamed = await index.add({ ...long, id: "renamed", text: long.text });
    // The chunk that the addition made another is in no document now.
    expect(renamed).toMatchObject({ added: 1, changed: 0 });
    expect(renamed.embedded).toBeLessThan(4);
    // As if it had always been so.
    index.remove("folder/long");
    await using fresh = await openIndex({ path: at("fresh.db") });
    await fresh.add([...DOCUMENTS.slice(0, 2), { ...long, id: "renamed" }]);
    expect(contentsOf(at("index.db"))).toEqual(contentsOf(at("fresh.db")));
    for (const table of ["passages", "vectors", "codes", "words_docsize"]) {
      expect(countOf(at("index.db"), table)).toBe(countOf(at("fresh.db"), table));
    }
  });

  test("tells a changed text from changed metadata", async () => {
    await using index = await openIndex();
    await index.add(DOCUMENTS);
    const report = await index.add({ ...DOCUMENTS[0]!, metadata: { language: "fr" } });
    expect(report).toMatchObject({ changed: 1, embedded: 0 });
    const [hit] = await index.search(NOTE, { mode: "vector" });
    expect(hit?.metadata).toEqual({ language: "fr" });
  });

  test("a text of several documents has one vector, and outlives any of them", async () => {
    await using index = await openIndex();
    const texts = ["a", "b", "c"].map((id) => ({ id, text: NOTE }));
    expect((await index.add(texts)).embedded).toBe(1);
    const ids = async () => (await index.search(NOTE)).map(({ id }) => id);
    expect(await ids()).toEqual(["a"]);
    expect(index.remove(["a", "nobody"])).toBe(1);
    expect(await ids()).toEqual(["b"]);
    expect(index.remove(["b", "c"])).toBe(2);
    expect([await ids(), index.stats().chunks]).toEqual([[], 0]);
    expect(countOf(at("index.db"), "vectors")).toBe(0);
  });

  test("white space alone is a document without chunks", async () => {
    await using index = await openIndex();
    expect(await index.add({ id: "empty", text: " \n\n" })).toMatchObject({
      added: 1,
      embedded: 0,
    });
    expect(index.documents()).toEqual([{ id: "empty", chunks: 0 }]);
    expect(await index.add({ id: "empty", text: " \n\n" })).toMatchObject({ unchanged: 1 });
  });
});

describe("what is fixed with an index:", () => {
  test("it opens its model by itself, from where it was", async () => {
    {
      await using index = await openSearchIndex({ path: at("index.db"), model: place.model });
      await index.add(DOCUMENTS);
    }
    await using index = await openSearchIndex({ path: at("index.db") });
    expect(index.stats().settings).toMatchObject({
      model: place.model,
      documentTask: "document",
      queryTask: "query",
      maxTokens: 128,
      dimensions: 64,
    });
    expect(await index.search(NOTE, { mode: "vector", limit: 1 })).toHaveLength(1);
  });

  test("another model is refused, whether it is asked or given something", async () => {
    const other = at("other.gguf");
    await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0", seed: 99 }, other);
    {
      await using index = await openIndex();
      await index.add(DOCUMENTS);
    }
    await using index = await openSearchIndex({ path: at("index.db"), model: other });
    for (const work of [() => index.search("x"), () => index.add({ id: "x", text: "x" })]) {
      const error = await failure(work);
      expect(error.code).toBe("WRONG_MODEL");
      expect(error.message).toContain(`${at("index.db")}: its vectors are of `);
      expect(error.message).toEndWith("or index again into another file");
    }
    expect(index.stats().documents).toBe(3);
    // The words are nobody's.
    expect(await index.search(NOTE, { mode: "text" })).not.toEqual([]);
  });

  test("so is the same model opened otherwise", async () => {
    {
      await using index = await openIndex();
      await index.add(DOCUMENTS);
    }
    await using high = await open(place.model, { precision: "high" });
    await using index = await openSearchIndex({ path: at("index.db"), model: high });
    expect((await failure(() => index.search("x"))).code).toBe("WRONG_MODEL");
  });

  test.each([
    { maxTokens: 63 },
    { overlap: 3 },
    { dimensions: 32 },
    { documentTask: "document" },
    { queryTask: "query" },
  ])("%j may not change", async (options) => {
    {
      await using index = await openIndex();
      await index.add(DOCUMENTS);
    }
    const error = await failure(() => openIndex(options));
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toStartWith(`${Object.keys(options)[0]} is `);
    await using index = await openIndex();
    expect(index.stats().documents).toBe(3);
  });

  test("fewer dimensions are stored, and searched", async () => {
    await using index = await openIndex({ dimensions: 24 });
    await index.add(DOCUMENTS);
    const [hit] = await index.search(OTHER, { mode: "vector" });
    expect(hit).toMatchObject({ id: "folder/other" });
    expect(hit!.similarity).toBeCloseTo(1, 4);
  });
});

describe("what is no index", () => {
  test("is named: a text, another database, one of a later version, nothing at all", async () => {
    writeFileSync(at("text.db"), "not a database, and longer than a header ".repeat(20));
    const other = new Database(at("other.db"));
    other.run("CREATE TABLE mine (x)");
    other.close();
    {
      await using _ = await openIndex({ path: at("later.db") });
    }
    const later = new Database(at("later.db"));
    later.run("PRAGMA user_version = 99");
    later.close();
    for (const name of ["text.db", "other.db", "later.db"]) {
      const error = await failure(() => openIndex({ path: at(name) }));
      expect([name, error.code]).toEqual([name, "BAD_INDEX"]);
      expect(error.message).toStartWith(`${at(name)}: `);
    }
    const missing = await failure(() => openIndex({ path: at("missing.db"), create: false }));
    expect(missing.code).toBe("FILE_NOT_FOUND");
    expect(existsSync(at("missing.db"))).toBe(false);
    const error = await failure(() => openIndex({ path: at("nowhere/index.db") }));
    expect(error.code).toBe("FILE_NOT_FOUND");
  });

  test("options and documents out of range are refused by name", async () => {
    await using index = await openIndex();
    await index.add(DOCUMENTS);
    const cases: [() => unknown, RegExp][] = [
      [() => index.search("x", { limit: 0 }), /^limit is 0;/],
      [() => index.search("x", { mode: "both" as "text" }), /^mode is "both"/],
      [() => index.search(1 as unknown as string), /^the query is not a string/],
      [() => index.search("x", { filter: { metadata: { a: [] as never } } }), /^filter.metadata.a/],
      [() => index.add({ id: "", text: "x" }), /^a document has no id/],
      [() => index.add({ id: "x", text: 1 as never }), /^the text of document "x"/],
      [() => index.add({ id: "x", text: "x", metadata: { a: {} as never } }), /^the metadata of /],
      [() => openIndex({ busyTimeoutMs: -1 }), /^busyTimeoutMs is -1/],
      [() => openIndex({ path: "" }), /^path /],
    ];
    for (const [work, message] of cases) {
      const error = await failure(work);
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toMatch(message);
    }
  });
});

describe("lifetime:", () => {
  test("closing leaves an open model to its owner, and refuses what comes later", async () => {
    const index = await openIndex();
    const adding = index.add(DOCUMENTS);
    await index.close();
    expect(await adding).toMatchObject({ added: 3 });
    expect((await failure(() => index.search("x"))).code).toBe("CLOSED");
    expect((await failure(() => index.stats())).code).toBe("CLOSED");
    expect((await model.embed("x")).tokens).toBeGreaterThan(0);
    await index.close();
  });

  test("an index in memory is never a file", async () => {
    await using index = await openIndex({ path: ":memory:" });
    await index.add(DOCUMENTS);
    expect((await index.search(NOTE))[0]?.id).toBe("note");
    expect(existsSync(":memory:")).toBe(false);
  });

  test("the texts of a document that never was complete go when one is", async () => {
    const [first, second] = [12_000, 100].flatMap((words) => makeTexts(1, words, 6));
    await using index = await openIndex();
    const interrupt = new AbortController();
    const onProgress = () => interrupt.abort(new Error("enough"));
    const adding = index.add(
      { id: "long", text: first! },
      { signal: interrupt.signal, onProgress },
    );
    await adding.catch(() => {});
    expect(index.stats()).toMatchObject({ documents: 0, chunks: 0 });
    const left = countOf(at("index.db"), "passages");
    expect(left).toBeGreaterThan(0);
    // Nobody finds them meanwhile.
    expect(await index.search(first!.slice(0, 60))).toEqual([]);
    await index.add({ id: "long", text: second! });
    for (const table of ["passages", "vectors", "codes", "words_docsize"]) {
      expect(countOf(at("index.db"), table)).toBe(index.stats().chunks);
    }
  });

  test("a signal ends adding between two batches; what was written stays", async () => {
    const many = makeTexts(700, 8, 5).map((text, i) => ({ id: `${i}`.padStart(4, "0"), text }));
    const path = at("index.db");
    await using index = await openIndex();
    const interrupt = new AbortController();
    const reason = new Error("enough");
    const onProgress = () => interrupt.abort(reason);
    const adding = index.add(many, { signal: interrupt.signal, onProgress });
    expect(await adding.catch((error) => error)).toBe(reason);
    const { documents } = index.stats();
    expect(documents).toBeGreaterThan(0);
    expect(documents).toBeLessThan(many.length);
    expect(await index.add(many)).toMatchObject({ unchanged: documents });
    await using fresh = await openIndex({ path: at("fresh.db") });
    await fresh.add(many);
    expect(contentsOf(path)).toEqual(contentsOf(at("fresh.db")));
    expect(countOf(path, "passages")).toBe(countOf(at("fresh.db"), "passages"));
  });
});
