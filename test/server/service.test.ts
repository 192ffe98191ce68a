import { describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { tinyModel } from "../engine/tiny-model.ts";
import { startServer } from "./start.ts";

const model = tinyModel();
/** Some seconds of work for the tiny model. */
const MUCH = { input: new Array(2000).fill("word ".repeat(20)) };

interface OpenApi {
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
}

interface Operation {
  readonly requestBody: {
    readonly content: {
      readonly "application/json": { readonly schema: { readonly properties: Properties } };
    };
  };
}

interface Properties {
  readonly input: { readonly anyOf: readonly object[] };
}

interface Info {
  readonly models: readonly { readonly fingerprint: string }[];
}

/** Resolves when `condition` holds; a test that waits for ever ends by its own time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(1);
}

describe("what a server tells of itself", () => {
  test("an OpenAPI document that is valid and names every path", async () => {
    await using started = await startServer(model.path);
    const document = (await (await fetch(`${started.url}openapi.json`)).json()) as OpenApi;
    const { valid, errors } = await new Validator().validate({ ...document });
    expect([valid, errors]).toEqual([true, undefined]);
    expect(Object.keys(document.paths).sort()).toEqual([
      "/",
      "/api/embed",
      "/embed",
      "/health",
      "/info",
      "/metrics",
      "/openapi.json",
      "/ready",
      "/rerank",
      "/tokenize",
      "/v1/embeddings",
      "/v1/models",
      "/v1/rerank",
      "/v1/search",
      "/v2/rerank",
    ]);
    const { schema } =
      document.paths["/v1/embeddings"]!.post.requestBody.content["application/json"];
    expect(Object.keys(schema.properties)).toContain("encoding_format");
    expect(schema.properties.input.anyOf.length).toBe(4);
  });

  test("health, readiness and the model", async () => {
    await using started = await startServer(model.path);
    expect(await (await fetch(`${started.url}health`)).json()).toEqual({ status: "ok" });
    expect(await (await fetch(`${started.url}ready`)).json()).toEqual({ status: "ready" });
    const info = (await (await fetch(`${started.url}info`)).json()) as Info;
    expect(info).toMatchObject({ model_id: "tiny", max_input_length: 128 });
    expect(info.models[0]!.fingerprint).toBe(await started.embedder.fingerprint());
  });

  test("metrics, under the names that dashboards know", async () => {
    await using started = await startServer(model.path, {}, { cacheBytes: 100_000 });
    await started.post("/embed", ["one", "two"]);
    await started.post("/embed", ["one"]);
    await started.post("/embed", { inputs: 3 });
    const text = await (await fetch(`${started.url}metrics`)).text();
    for (const bucket of ["0.01", "0.02", "0.03", "0.05", "0.1", "0.2", "0.5", "+Inf"]) {
      expect(text).toContain(`embedding_latency_seconds_bucket{le="${bucket}",model="tiny"}`);
    }
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
    const labelled = (name: string) => value(`${name}\\{model="tiny"\\}`);
    expect(labelled("embeddings_total")).toBe(3);
    expect(labelled("embedding_latency_seconds_count")).toBe(2);
    expect(labelled("embedding_cache_hits_total")).toBe(1);
    expect(labelled("embedding_queue_depth")).toBe(0);
    // Two texts to warm up, and two; the last was in the cache.
    const { done, batchSizes } = started.served.stats();
    expect(labelled("embedding_batch_size_sum")).toBe(4);
    expect(labelled("embedding_batch_size_count")).toBe(done.batches);
    let batches = 0;
    for (const size of batchSizes) {
      batches += size.batches;
      const le = size.textsMax === Infinity ? "\\+Inf" : size.textsMax;
      expect(value(`embedding_batch_size_bucket\\{model="tiny",le="${le}"\\}`)).toBe(batches);
    }
    expect(batches).toBe(done.batches);
    expect(labelled("embedding_weight_bytes")).toBeGreaterThan(1000);
    expect(value('embedding_errors_total\\{code="invalid_request"\\}')).toBe(1);
    expect(value('embedding_requests_total\\{route="/embed",status="200"\\}')).toBe(2);
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(text).toContain('embedding_model_info{model="tiny",architecture="gemma-embedding"');
  });

  test("a log with ids, codes and counts, and without texts", async () => {
    await using started = await startServer(model.path, { apiKeys: ["secret-key"] });
    const authorization = "Bearer secret-key";
    const headers = { authorization, "x-request-id": "my-id.7" };
    const response = await started.post("/embed", ["a private text"], { headers });
    expect(response.headers.get("x-request-id")).toBe("my-id.7");
    const odd = { authorization, "x-request-id": "no{good}" };
    const other = await started.post("/embed", { inputs: 3 }, { headers: odd });
    expect(other.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    const [good, bad] = started.log;
    expect(good).toMatchObject({ id: "my-id.7", status: 200, model: "tiny", texts: 1 });
    expect(bad).toMatchObject({ status: 400, code: "invalid_request", path: "/embed" });
    expect(JSON.stringify(started.log)).not.toMatch(/private|secret/);
  });
});

describe("limits", () => {
  test("of a body, told before it is read and while it is", async () => {
    await using started = await startServer(model.path, { bodyBytesMax: 1000 });
    const large = JSON.stringify(["x".repeat(2000)]);
    const told = await started.post("/embed", large);
    const chunks = new ReadableStream({
      async pull(controller) {
        await Bun.sleep(1);
        controller.enqueue(new TextEncoder().encode("x".repeat(400)));
      },
    });
    const streamed = await fetch(`${started.url}embed`, { method: "POST", body: chunks });
    for (const response of [told, streamed]) {
      expect(response.status).toBe(413);
      expect(((await response.json()) as { error: string }).error).toContain("1000 bytes");
    }
  });

  test("of items and of tokens", async () => {
    await using started = await startServer(model.path, { itemsMax: 3, tokenLimit: 20 });
    expect((await started.post("/embed", ["a", "b", "c"])).status).toBe(200);
    expect((await started.post("/embed", ["a", "b", "c", "d"])).status).toBe(413);
    const long = await started.post("/embed", ["word ".repeat(20)]);
    expect(long.status).toBe(413);
    expect(((await long.json()) as { error: string }).error).toContain("more than 20 tokens");
  });

  test("of time: 504, and the work is given up", async () => {
    await using started = await startServer(model.path, { deadlineMs: 60 });
    const response = await started.post("/v1/embeddings", MUCH);
    expect(response.status).toBe(504);
    const { error } = (await response.json()) as { error: { code: string } };
    expect(error.code).toBe("deadline_exceeded");
    await until(() => started.served.stats().running.batches === 0);
    expect(started.served.stats().queue.texts).toBe(0);
  });

  test("of what waits: 429 with a time to come back", async () => {
    await using started = await startServer(model.path, { deadlineMs: 100 });
    await started.post("/v1/embeddings", { input: new Array(200).fill("word ".repeat(20)) });
    const answers: Response[] = [];
    const refused: Response[] = [];
    // How much is too much, the machine knows.
    for (let count = 12; refused.length === 0 && count < 200; count *= 2) {
      const posts = Array.from({ length: count }, () => started.post("/v1/embeddings", MUCH));
      answers.push(...(await Promise.all(posts)));
      refused.push(...answers.filter(({ status }) => status === 429));
    }
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers } of refused)
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    // What was let in ended well, or by its own deadline.
    for (const { status } of answers) expect([200, 429, 504]).toContain(status);
  });

  test("of the model's queue: 429 too", async () => {
    await using started = await startServer(model.path, {}, { queueLimit: 10 });
    const busy = started.post("/v1/embeddings", MUCH);
    await until(() => started.served.stats().queue.texts > 0);
    const response = await started.post("/v1/embeddings", { input: "a" });
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("1");
    expect((await busy).status).toBe(200);
  });
});

test("a client that leaves takes its work with it", async () => {
  await using started = await startServer(model.path);
  const controller = new AbortController();
  const gone = started.post("/v1/embeddings", MUCH, { signal: controller.signal });
  await until(() => started.served.stats().queue.texts > 0);
  controller.abort();
  await gone.catch(() => {});
  await until(() => started.served.stats().queue.texts === 0);
  expect(started.served.stats().calls.cancelled).toBe(1);
  expect((await started.post("/embed", ["a"])).status).toBe(200);
  expect(started.log.map(({ status }) => status).sort()).toEqual([200, 499]);
});

describe("keys", () => {
  test("are asked for where vectors and models are, and not elsewhere", async () => {
    await using started = await startServer(model.path, { apiKeys: ["one", "two"] });
    const status = async (path: string, key?: string, method = "GET") => {
      const headers: Record<string, string> = key === undefined ? {} : { authorization: key };
      const body = method === "POST" ? '["a"]' : null;
      return (await fetch(new URL(path, started.url), { method, headers, body })).status;
    };
    for (const path of ["/", "/health", "/ready", "/metrics", "/openapi.json"]) {
      expect(await status(path)).toBe(200);
    }
    for (const path of ["/v1/models", "/info"]) expect(await status(path)).toBe(401);
    for (const key of ["Bearer one", "bearer two"]) expect(await status("/info", key)).toBe(200);
    for (const key of ["Bearer three", "one", "Bearer", "Basic one"]) {
      expect(await status("/embed", key, "POST")).toBe(401);
    }
  });
});

describe("other origins", () => {
  test("are not let in unless they are named", async () => {
    const headers = { origin: "https://a.example" };
    await using closed = await startServer(model.path);
    const answer = await closed.post("/embed", ["a"], { headers });
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    expect((await fetch(`${closed.url}embed`, { method: "OPTIONS", headers })).status).toBe(405);
    await using started = await startServer(model.path, { corsOrigins: ["https://a.example"] });
    const asked = { ...headers, "access-control-request-headers": "authorization,x-stainless-os" };
    const preflight = await fetch(`${started.url}embed`, { method: "OPTIONS", headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://a.example");
    expect(preflight.headers.get("access-control-allow-headers")).toBe(
      "authorization,x-stainless-os",
    );
    const letIn = await started.post("/embed", ["a"], { headers });
    expect(letIn.headers.get("access-control-expose-headers")).toContain("retry-after");
    const other = await started.post("/embed", ["a"], { headers: { origin: "https://b.example" } });
    expect(other.headers.has("access-control-allow-origin")).toBe(false);
  });
});

test("paths and methods that are not there say so", async () => {
  await using started = await startServer(model.path);
  expect((await fetch(`${started.url}v2/embeddings`)).status).toBe(404);
  const wrong = await fetch(`${started.url}v1/embeddings`);
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
});

test("requests at the same time share batches", async () => {
  await using started = await startServer(model.path);
  const { done: before } = started.served.stats();
  const texts = Array.from({ length: 100 }, (_, i) => `text number ${i}`);
  const answers = await Promise.all(texts.map((text) => started.post("/embed", [text])));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  const { done } = started.served.stats();
  expect(done.texts - before.texts).toBe(100);
  expect(done.batches - before.batches).toBeLessThan(80);
});
