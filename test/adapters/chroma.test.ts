import { describe, expect, test } from "bun:test";
import {
  ChromaClient,
  getEmbeddingFunction,
  knownEmbeddingFunctions,
  processCreateCollectionConfig,
  processUpdateCollectionConfig,
  serializeEmbeddingFunction,
} from "chromadb";
import { GgufEmbeddingFunction } from "../../src/adapters/chroma.ts";
import { adaptedModel, TEXTS } from "./case.ts";

const tiny = adaptedModel();
/** Made, but never asked: nothing here needs a server. */
const client = new ChromaClient({ host: "127.0.0.1", port: 9 });

test("gives the library's bits, of documents and of queries", async () => {
  const embeddingFunction = new GgufEmbeddingFunction({ model: tiny.model });
  const documents = await tiny.vectors(TEXTS, { task: "document" });
  expect(await embeddingFunction.generate(TEXTS)).toEqual(documents);
  const queries = await tiny.vectors(TEXTS, { task: "query" });
  expect(await embeddingFunction.generateForQueries(TEXTS)).toEqual(queries);
});

describe("the client", () => {
  const options = {
    documentTask: null,
    dimensions: 16,
    truncate: "end",
    open: { threads: 1, prompts: { query: "q: " } },
  } as const;
  const config = () => ({
    model: tiny.path,
    document_task: null,
    dimensions: 16,
    truncate: "end",
    prompts: { query: "q: " },
  });

  test("finds it by the name that it stores, and makes it again", async () => {
    expect(knownEmbeddingFunctions.get("ggufembed")).toBe(GgufEmbeddingFunction);
    const first = new GgufEmbeddingFunction({ model: tiny.path, ...options });
    const created = await processCreateCollectionConfig({ embeddingFunction: first });
    expect(created).toMatchObject({
      hnsw: { space: "cosine" },
      embedding_function: { name: "ggufembed", type: "known", config: config() },
    });
    // As it comes back from a server.
    const { embedding_function: efConfig } = JSON.parse(JSON.stringify(created));
    const second = await getEmbeddingFunction({ client, efConfig });
    expect(second).toBeInstanceOf(GgufEmbeddingFunction);
    await using again = second as GgufEmbeddingFunction;
    expect(again.getConfig?.()).toEqual(config());
    expect(await again.generateForQueries(["one"])).toEqual(
      await tiny.vectors(["one"], { prompt: "q: ", dimensions: 16 }),
    );
    expect(await again.generate(["one"])).toEqual(await tiny.vectors(["one"], { dimensions: 16 }));
  });

  test("knows a function of an open model as one that it cannot make again", () => {
    const embeddingFunction = new GgufEmbeddingFunction({ model: tiny.model });
    expect(serializeEmbeddingFunction({ embeddingFunction })).toEqual({ type: "legacy" });
  });

  test("may not change a collection's vectors", async () => {
    const update = (dimensions: number) =>
      processUpdateCollectionConfig({
        collectionName: "notes",
        currentConfiguration: {},
        currentEmbeddingFunction: new GgufEmbeddingFunction({ model: tiny.path, ...options }),
        newConfiguration: {
          embeddingFunction: new GgufEmbeddingFunction({
            model: tiny.path,
            ...options,
            dimensions,
          }),
        },
        client,
      });
    await expect(update(8)).rejects.toThrow("dimensions would change from 16 to 8");
    expect(await update(16)).toHaveProperty("updateConfiguration.embedding_function.type", "known");
  });

  test.each([
    [{ model: "a", tusk: 1 }, "there is no tusk in a configuration; known are model, query_task"],
    [{ model: 3 }, "model is 3; it must be of type string"],
    [{ model: "a", query_task: 1 }, "query_task is 1; it must be of type string or null"],
    [{}, "a configuration lacks model"],
  ])("is refused the configuration %j", (wrong, message) => {
    const { validateConfig } = GgufEmbeddingFunction.prototype;
    expect(() => validateConfig(wrong)).toThrow(message);
    expect(() => GgufEmbeddingFunction.buildFromConfig(wrong)).toThrow(message);
  });
});

test("compares by cosine unless told otherwise, and in all of Chroma's ways", () => {
  const embeddingFunction = new GgufEmbeddingFunction({ model: tiny.path });
  expect(embeddingFunction.defaultSpace()).toBe("cosine");
  expect(embeddingFunction.supportedSpaces()).toEqual(["cosine", "l2", "ip"]);
});

test("closes the model that it opened", async () => {
  const embeddingFunction = new GgufEmbeddingFunction({ model: tiny.path });
  await embeddingFunction.generate(["one"]);
  await embeddingFunction.close();
  await expect(embeddingFunction.generate(["one"])).rejects.toHaveProperty("code", "CLOSED");
});
