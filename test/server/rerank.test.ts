import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CohereClient, CohereClientV2, CohereError } from "cohere-ai";
import { open } from "../../src/index.ts";
import { jsonLog } from "../../src/server/log.ts";
import { Models } from "../../src/server/models.ts";
import { EmbeddingServer } from "../../src/server/server.ts";
import { DEFAULTS } from "../../src/server/settings.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { type Started, startServer } from "./start.ts";

const model = tinyModel({ architecture: "bert", type: "Q8_0", reranker: true });
const embedding = tinyModel();
const PATHS = ["/rerank", "/v1/rerank", "/v2/rerank"];
const query = "the cat";
const documents = ["a dog ran", "the cat sat", "the mat"];
const LONG = "the cat sat on the mat ".repeat(40);

interface Body {
  readonly model: string;
  readonly results: {
    readonly index: number;
    readonly relevance_score: number;
    readonly document?: { readonly text: string };
  }[];
  readonly usage: { readonly total_tokens: number };
  readonly meta: { readonly warnings?: string[] };
}

describe("reranking", () => {
  let started: Started;
  beforeAll(async () => {
    started = await startServer(model.path, { itemsMax: 4, tokenLimit: 200 });
  });
  afterAll(() => started[Symbol.asyncDispose]());
  const ask = async (body: object, path = "/v1/rerank") => {
    const response = await started.post(path, body);
    return { status: response.status, body: (await response.json()) as Body };
  };

  test.each(PATHS)("%s gives the best first, with their places", async (path) => {
    const expected = await started.embedder.rerank(query, documents);
    const { status, body } = await ask({ model: "tiny", query, documents }, path);
    expect(status).toBe(200);
    expect(body.model).toBe("tiny");
    expect(body.results).toEqual(
      expected.map(({ index, score }) => ({ index, relevance_score: score })),
    );
    const tokens = expected.reduce((total, result) => total + result.tokens, 0);
    expect(body.usage.total_tokens).toBe(tokens);
    expect(body.meta.warnings).toBeUndefined();
  });

  test("top_n, return_documents, raw_scores and documents as objects", async () => {
    const expected = await started.embedder.rerank(query, documents);
    const objects = documents.map((text) => ({ text, title: "left alone" }));
    const { body } = await ask({
      query,
      documents: objects,
      top_n: 2,
      return_documents: true,
      raw_scores: true,
    });
    expect(body.results).toEqual(
      expected.slice(0, 2).map(({ index, raw }) => ({
        index,
        relevance_score: raw,
        document: { text: documents[index]! },
      })),
    );
    // All of them went through the model.
    expect(body.usage.total_tokens).toBe(expected.reduce((sum, { tokens }) => sum + tokens, 0));
    const nothing = { model: null, top_n: null, return_documents: null, truncate: null };
    expect((await ask({ query, documents, ...nothing })).body.results).toHaveLength(3);
    expect((await ask({ query, documents, top_n: 99 })).body.results).toHaveLength(3);
  });

  test("a long document is cut and told of, or refused", async () => {
    const { body } = await ask({ query, documents: ["a", LONG] });
    expect(body.meta.warnings).toEqual(["1 of 2 documents cut to the model's 64 tokens"]);
    const refused = await started.post("/rerank", {
      query,
      documents: ["a", LONG],
      truncate: "error",
    });
    expect(refused.status).toBe(413);
    const error = (await refused.json()) as { message: string; detail: string };
    expect(error.message).toStartWith("text 1 and the query have ");
    expect(error.detail).toBe(error.message);
  });

  test.each([
    [{ documents }, 400, "query"],
    [{ query, documents: [] }, 400, "documents"],
    [{ query, documents: "a" }, 400, "documents"],
    [{ query, documents: [{ title: "a" }] }, 400, "documents"],
    [{ query, documents, top_n: 0 }, 400, "top_n"],
    [{ query, documents, rank_fields: ["a"] }, 400, 'unknown parameter "rank_fields"'],
    [{ query, documents, model: "other" }, 404, "there is no model"],
    [{ query, documents: ["a", "b", "c", "d", "e"] }, 413, "5 texts; a request takes 4"],
    [{ query, documents: [LONG, LONG, LONG, LONG] }, 413, "more than 200 tokens in all"],
    [{ query: LONG, documents }, 413, "the query has 520 tokens"],
  ])("refuses %j", async (body, status, message) => {
    const response = await started.post("/rerank", body);
    expect(response.status).toBe(status);
    expect(((await response.json()) as { message: string }).message).toContain(message);
  });

  test("answers Cohere's own client, of either version", async () => {
    const expected = await started.embedder.rerank(query, documents);
    const settings = { token: "none", environment: started.url, maxRetries: 0 };
    const best = { index: expected[0]!.index, relevanceScore: expected[0]!.score };
    const request = { model: "tiny", query, documents, topN: 1 };
    const first = await new CohereClient(settings).rerank({ ...request, returnDocuments: true });
    expect(first.results).toEqual([{ ...best, document: { text: documents[best.index]! } }]);
    const second = new CohereClientV2(settings);
    const answer = await second.rerank(request);
    expect(answer.results).toEqual([best]);
    expect(answer.meta?.tokens?.inputTokens).toBeGreaterThan(0);
    const refused = await second
      .rerank({ ...request, model: "other" })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CohereError);
    const { statusCode, body } = refused as CohereError;
    expect(statusCode).toBe(404);
    expect(body).toMatchObject({ code: "model_not_found" });
  });

  test("embeds nothing", async () => {
    const response = await started.post("/v1/embeddings", { input: "a" });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { message: string; code: string } };
    expect(error.code).toBe("wrong_kind_of_model");
    expect(error.message).toContain("is a reranker, which gives no vectors");
  });

  test("is described", async () => {
    const described = await (await fetch(new URL("/openapi.json", started.url))).json();
    const { paths } = described as { paths: Record<string, object> };
    for (const path of PATHS) expect(paths[path]).toBeDefined();
    const text = await (await fetch(new URL("/metrics", started.url))).text();
    expect(text).toContain('/v1/rerank"');
    expect((await fetch(new URL("/info", started.url))).status).toBe(200);
  });
});

test("a server of embeddings reranks nothing", async () => {
  await using started = await startServer(embedding.path);
  const response = await started.post("/rerank", { query, documents });
  expect(response.status).toBe(400);
  const { message } = (await response.json()) as { message: string };
  expect(message).toContain("is an embedding model, which scores no pairs");
});

test("of two models, each kind of request finds its own", async () => {
  const opened = [
    { source: "pairs", embedder: await open(model.path) },
    { source: "texts", embedder: await open(embedding.path) },
  ];
  const settings = { ...DEFAULTS, port: 0 };
  const server = EmbeddingServer.start(
    settings,
    new Models(opened),
    jsonLog(() => {}),
  );
  try {
    await server.warmUp();
    const post = async (path: string, body: object) => {
      const request = { method: "POST", body: JSON.stringify(body) };
      return (await (await fetch(new URL(path, server.url), request)).json()) as Body;
    };
    expect((await post("/rerank", { query, documents })).model).toBe("pairs");
    expect((await post("/v1/embeddings", { input: "a" })).model).toBe("texts");
  } finally {
    await server.stop();
  }
});
