import { expect, test } from "bun:test";
import { BaseEmbedding } from "@llamaindex/core/embeddings";
import { TextNode } from "@llamaindex/core/schema";
import { Document, Settings, VectorStoreIndex } from "llamaindex";
import { GgufEmbedding } from "../../src/adapters/llamaindex.ts";
import { adaptedModel, TEXTS } from "./case.ts";

const tiny = adaptedModel();

test("gives the library's bits, of documents and of queries", async () => {
  const embedding = new GgufEmbedding({ model: tiny.model });
  expect(embedding).toBeInstanceOf(BaseEmbedding);
  const documents = await tiny.vectors(TEXTS, { task: "document" });
  expect(await embedding.getTextEmbeddings(TEXTS)).toEqual(documents);
  expect(await embedding.getTextEmbedding(TEXTS[1]!)).toEqual(documents[1]!);
  const query = await embedding.getQueryEmbedding({ type: "text", text: "one" });
  expect(query).toEqual(await tiny.vector("one", { task: "query" }));
  const image = { type: "image_url", image_url: { url: "data:," } } as const;
  expect(await embedding.getQueryEmbedding(image)).toBeNull();
});

test("reports progress by batches, and embeds nodes", async () => {
  const embedding = new GgufEmbedding({ model: tiny.model, embedBatchSize: 3 });
  const progress: number[][] = [];
  const progressCallback = (done: number, all: number) => void progress.push([done, all]);
  const vectors = await embedding.getTextEmbeddingsBatch(TEXTS, { progressCallback });
  expect(vectors).toEqual(await tiny.vectors(TEXTS, { task: "document" }));
  expect(progress).toEqual([
    [3, 4],
    [4, 4],
  ]);
  // What it is in a pipeline of transformations: a function.
  const transform = embedding as unknown as (nodes: TextNode[]) => Promise<TextNode[]>;
  const [node] = await transform([new TextNode({ text: "one" })]);
  expect(node?.embedding).toEqual(await tiny.vector("one", { task: "document" }));
  expect(new GgufEmbedding({ model: tiny.model }).embedBatchSize).toBe(512);
});

test("searches in an index of LlamaIndex", async () => {
  await using embedding = new GgufEmbedding({ model: tiny.path, open: { threads: 1 } });
  const texts = ["the red planet", "heavy boxes", "rings of ice"];
  const documents = texts.map((text) => new Document({ text }));
  const found = await Settings.withEmbedModel(embedding, async () => {
    const index = await VectorStoreIndex.fromDocuments(documents);
    return await index.asRetriever({ similarityTopK: 3 }).retrieve("boxes that are heavy");
  });
  const query = await tiny.vector("boxes that are heavy", { task: "query" });
  const vectors = await tiny.vectors(texts, { task: "document" });
  const expected = texts
    .map((text, i) => ({ text, score: embedding.similarity(query, vectors[i]!) }))
    .sort((a, b) => b.score - a.score);
  expect(found.map(({ node }) => (node as TextNode).getText())).toEqual(
    expected.map(({ text }) => text),
  );
  expect(found.map(({ score }) => score)).toEqual(expected.map(({ score }) => score));
});

test("closes the model that it opened", async () => {
  const embedding = new GgufEmbedding({ model: tiny.path });
  await embedding.getTextEmbedding("one");
  await embedding.close();
  await expect(embedding.getTextEmbedding("one")).rejects.toHaveProperty("code", "CLOSED");
});
