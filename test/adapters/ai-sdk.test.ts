import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  APICallError,
  cosineSimilarity,
  createProviderRegistry,
  embed,
  embedMany,
  NoSuchModelError,
  TooManyEmbeddingValuesForCallError,
} from "ai";
import {
  createGgufEmbed,
  type GgufCallOptions,
  type GgufModelSettings,
  ggufEmbeddingModel,
} from "../../src/adapters/ai-sdk.ts";
import { open, similarity } from "../../src/index.ts";
import { adaptedModel, LONG, TEXTS } from "./case.ts";

const tiny = adaptedModel();
const modelWith = (settings: GgufModelSettings = {}) =>
  ggufEmbeddingModel({ model: tiny.model, ...settings });
const call = (options: GgufCallOptions) => ({ ggufembed: options });

/** The AI SDK's own switch: else it would print each warning. */
beforeAll(() => {
  globalThis.AI_SDK_LOG_WARNINGS = false;
});
afterAll(() => {
  globalThis.AI_SDK_LOG_WARNINGS = undefined;
});

describe("embed and embedMany", () => {
  test("give the library's bits, and its tokens", async () => {
    const model = modelWith();
    const one = await embed({ model, value: "two words" });
    const result = await tiny.model.embed("two words");
    expect(one.embedding).toEqual(Array.from(result.embedding));
    expect(one.usage).toEqual({ tokens: result.tokens });
    expect(one.warnings).toEqual([]);
    const many = await embedMany({ model, values: TEXTS });
    const results = await tiny.model.embed(TEXTS);
    expect(many.embeddings).toEqual(results.map(({ embedding }) => Array.from(embedding)));
    expect(many.usage.tokens).toBe(results.reduce((sum, { tokens }) => sum + tokens, 0));
    const [a, b] = results.map(({ embedding }) => embedding);
    const cosine = cosineSimilarity(many.embeddings[0]!, many.embeddings[1]!);
    expect(cosine).toBeCloseTo(similarity(a!, b!), 12);
  });

  test("make several calls of more values than one takes, in order", async () => {
    const model = modelWith({ maxEmbeddingsPerCall: 3 });
    const values = Array.from({ length: 8 }, (_, i) => `text ${"word ".repeat(i % 3)}${i}`);
    const { embeddings, usage, responses } = await embedMany({ model, values });
    expect(responses?.length).toBe(3);
    expect(embeddings).toEqual(await tiny.vectors(values));
    const results = await tiny.model.embed(values);
    expect(usage.tokens).toBe(results.reduce((sum, { tokens }) => sum + tokens, 0));
    const tooMany = model.doEmbed({ values });
    await expect(tooMany).rejects.toBeInstanceOf(TooManyEmbeddingValuesForCallError);
    await expect(tooMany).rejects.toMatchObject({ maxEmbeddingsPerCall: 3, values });
    expect(modelWith().maxEmbeddingsPerCall).toBe(2048);
    expect(() => modelWith({ maxEmbeddingsPerCall: 0 })).toThrow("maxEmbeddingsPerCall is 0");
  });

  test("take task, dimensions and so on from the model, or the call before it", async () => {
    const model = modelWith({ task: "document", dimensions: 16, normalize: false });
    const settings = { dimensions: 16, normalize: false };
    const value = "one";
    expect((await embed({ model, value })).embedding).toEqual(
      await tiny.vector(value, { ...settings, task: "document" }),
    );
    const query = await embed({ model, value, providerOptions: call({ task: "query" }) });
    expect(query.embedding).toEqual(await tiny.vector(value, { ...settings, task: "query" }));
    const title = await embed({ model, value, providerOptions: call({ title: "a title" }) });
    const titled = { ...settings, task: "document", title: "a title" };
    expect(title.embedding).toEqual(await tiny.vector(value, titled));
    // A prompt stands in place of the model's task.
    const own = call({ prompt: "say: ", normalize: true });
    const prompted = await embed({ model, value, dimensions: 8, providerOptions: own });
    expect(prompted.embedding).toEqual(
      await tiny.vector(value, { prompt: "say: ", dimensions: 8, normalize: true }),
    );
  });

  test("warn where texts are truncated, and refuse them unless that is wanted", async () => {
    const values = [LONG, "one"];
    const refused = embedMany({ model: modelWith(), values });
    await expect(refused).rejects.toMatchObject({ code: "INPUT_TOO_LONG", index: 0 });
    const { embeddings, warnings } = await embedMany({
      model: modelWith(),
      values,
      providerOptions: call({ truncate: "start" }),
    });
    expect(embeddings).toEqual(await tiny.vectors(values, { truncate: "start" }));
    const { truncated } = await tiny.model.embed(LONG, { truncate: "start" });
    expect(truncated).toBeGreaterThan(0);
    const message = `1 of 2 texts did not fit the model and lost ${truncated} tokens`;
    expect(warnings).toEqual([{ type: "other", message }]);
  });

  test("end with the signal's reason, while a model is being opened too", async () => {
    const aborted = AbortSignal.abort(new Error("enough"));
    const model = modelWith();
    await expect(embed({ model, value: "one", abortSignal: aborted })).rejects.toThrow("enough");
    const controller = new AbortController();
    const values = Array.from({ length: 512 }, () => "word ".repeat(20));
    const running = embedMany({ model, values, abortSignal: controller.signal });
    while (tiny.model.stats().queue.texts === 0) await Bun.sleep(0);
    controller.abort(new Error("enough of that"));
    await expect(running).rejects.toThrow("enough of that");
    await using unopened = ggufEmbeddingModel({ model: tiny.path });
    const opening = new AbortController();
    const waiting = unopened.doEmbed({ values: ["one"], abortSignal: opening.signal });
    opening.abort(new Error("no time"));
    await expect(waiting).rejects.toThrow("no time");
  });

  test("refuse what the call's options do not have", async () => {
    const model = modelWith();
    const refusal = (options: Record<string, string | number>) =>
      embed({ model, value: "one", providerOptions: { ggufembed: options } });
    await expect(refusal({ tusk: "query" })).rejects.toThrow(
      'providerOptions.ggufembed has "tusk"; known are task, prompt',
    );
    await expect(refusal({ task: 1 })).rejects.toThrow(
      "providerOptions.ggufembed.task is 1; it must be a string",
    );
    await expect(refusal({ truncate: "middle" })).rejects.toThrow('truncate is "middle"');
    const others = { openai: { dimensions: 3 } };
    expect((await embed({ model, value: "one", providerOptions: others })).warnings).toEqual([]);
  });

  test("try again when a queue was full, and only then", async () => {
    await using model = await open(tiny.path, { threads: 1, queueLimit: 1 });
    const before = model.embed("one");
    const sdk = ggufEmbeddingModel({ model });
    const refused = embed({ model: sdk, value: "two", maxRetries: 0 });
    // The AI SDK waits two seconds before it tries again.
    const patient = embed({ model: sdk, value: "two", maxRetries: 1 });
    await expect(refused).rejects.toBeInstanceOf(APICallError);
    await expect(refused).rejects.toMatchObject({
      isRetryable: true,
      cause: { code: "QUEUE_FULL" },
    });
    await before;
    expect((await patient).embedding).toEqual(await tiny.vector("two"));
  }, 30_000);
});

describe("a provider", () => {
  test("opens a model once for all who name it, and closes it", async () => {
    const provider = createGgufEmbed({ open: { threads: 1 } });
    const query = provider.embedding(tiny.path, { task: "query" });
    const document = provider.textEmbeddingModel(tiny.path, { task: "document" });
    expect([query.modelId, query.provider]).toEqual([tiny.path, "ggufembed"]);
    expect((await embed({ model: query, value: "one" })).embedding).toEqual(
      await tiny.vector("one", { task: "query" }),
    );
    expect((await embed({ model: document, value: "one" })).embedding).toEqual(
      await tiny.vector("one", { task: "document" }),
    );
    await query.close();
    const closed = embed({ model: document, value: "one" });
    await expect(closed).rejects.toHaveProperty("code", "CLOSED");
    await provider.close();
  });

  test("stands in a registry, with models by names of one's own", async () => {
    await using ggufembed = createGgufEmbed({
      models: { notes: tiny.model, file: tiny.path },
      open: { threads: 1 },
    });
    const registry = createProviderRegistry({ ggufembed });
    const expected = await tiny.vector("one");
    for (const id of ["ggufembed:notes", "ggufembed:file"] as const) {
      const { embedding } = await embed({ model: registry.embeddingModel(id), value: "one" });
      expect(embedding).toEqual(expected);
    }
  });

  test("closes what it opened alone, when it leaves its scope", async () => {
    const kept = (() => {
      const models = { open: tiny.model, file: tiny.path };
      return createGgufEmbed({ models });
    })();
    const model = kept.embeddingModel("file");
    await embed({ model, value: "one" });
    await kept[Symbol.asyncDispose]();
    await expect(model.doEmbed({ values: ["one"] })).rejects.toHaveProperty("code", "CLOSED");
    expect((await tiny.model.embed("one")).tokens).toBeGreaterThan(1);
  });

  test("has no models of other kinds", () => {
    const provider = createGgufEmbed();
    expect(() => provider.languageModel("any")).toThrow(NoSuchModelError);
    expect(() => provider.imageModel("any")).toThrow(NoSuchModelError);
  });
});
