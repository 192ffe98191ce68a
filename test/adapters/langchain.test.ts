import { expect, test } from "bun:test";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { Document } from "@langchain/core/documents";
import { Embeddings } from "@langchain/core/embeddings";
import { GgufEmbeddings } from "../../src/adapters/langchain.ts";
import { similarity } from "../../src/index.ts";
import { adaptedModel, TEXTS } from "./case.ts";

const tiny = adaptedModel();

test("gives the library's bits, of documents and of queries", async () => {
  const embeddings = new GgufEmbeddings({ model: tiny.model });
  expect(embeddings).toBeInstanceOf(Embeddings);
  const documents = await embeddings.embedDocuments(TEXTS);
  expect(documents).toEqual(await tiny.vectors(TEXTS, { task: "document" }));
  expect(await embeddings.embedDocuments([])).toEqual([]);
  expect(await embeddings.embedQuery("one")).toEqual(await tiny.vector("one", { task: "query" }));
});

test("searches in a vector store of LangChain", async () => {
  await using embeddings = new GgufEmbeddings({ model: tiny.path, open: { threads: 1 } });
  const store = new MemoryVectorStore(embeddings);
  const texts = ["the red planet", "heavy boxes", "rings of ice"];
  await store.addDocuments(texts.map((text) => new Document({ pageContent: text })));
  const found = await store.similaritySearchWithScore("boxes that are heavy", 3);
  // A tiny model knows no meaning: what counts is that the order is that of its vectors.
  const query = await tiny.vector("boxes that are heavy", { task: "query" });
  const vectors = await tiny.vectors(texts, { task: "document" });
  const expected = texts
    .map((text, i) => ({ text, score: similarity(floats(query), floats(vectors[i]!)) }))
    .sort((a, b) => b.score - a.score);
  expect(found.map(([{ pageContent }]) => pageContent)).toEqual(expected.map(({ text }) => text));
  for (const [i, [, score]] of found.entries()) expect(score).toBeCloseTo(expected[i]!.score, 12);
  const [best] = await store.asRetriever(1).invoke("boxes that are heavy");
  expect(best?.pageContent).toBe(expected[0]!.text);
});

const floats = (vector: number[]) => Float32Array.from(vector);

test("an error is the library's, at once and not after six more tries", async () => {
  const options = { model: `${tiny.path}.missing`, open: { offline: true } };
  const embeddings = new GgufEmbeddings({ ...options, maxRetries: 6 });
  await expect(embeddings.embedQuery("one")).rejects.toMatchObject({
    name: "GgufEmbedError",
    code: "FILE_NOT_FOUND",
  });
});

test("closes the model that it opened", async () => {
  const embeddings = new GgufEmbeddings({ model: tiny.path });
  await embeddings.embedQuery("one");
  await embeddings.close();
  await expect(embeddings.embedQuery("one")).rejects.toHaveProperty("code", "CLOSED");
});
