import { describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { bitsOf } from "../engine/run-native.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { type Started, startServer } from "./start.ts";

const model = tinyModel();
const TEXTS = ["the quick brown fox", "jumps over", "the lazy dog"];

function clientOf({ url }: Started, apiKey = "none"): OpenAI {
  return new OpenAI({ baseURL: `${url}v1`, apiKey, maxRetries: 0 });
}

/** The vectors of an answer, as float32. */
function bits(data: readonly { readonly embedding: readonly number[] }[]): string[] {
  return bitsOf(data.map(({ embedding }) => Float32Array.from(embedding)));
}

describe("the real openai client", () => {
  test("gets the library's bits, for strings and arrays, whatever the encoding", async () => {
    await using started = await startServer(model.path);
    const client = clientOf(started);
    const expected = await started.embedder.embed(TEXTS);
    const wanted = bitsOf(expected.map(({ embedding }) => embedding));
    for (const format of [undefined, "float", "base64"] as const) {
      const encoding = format === undefined ? {} : { encoding_format: format };
      const many = await client.embeddings.create({ model: "tiny", input: TEXTS, ...encoding });
      // A client that asked for base64 itself gets strings.
      const vectors = many.data.map(({ embedding }) =>
        typeof embedding === "string"
          ? new Float32Array(Uint8Array.from(Buffer.from(embedding, "base64")).buffer)
          : Float32Array.from(embedding),
      );
      expect(bitsOf(vectors)).toEqual(wanted);
      expect(many.data.map(({ index }) => index)).toEqual([0, 1, 2]);
      const tokens = expected.reduce((total, result) => total + result.tokens, 0);
      expect(many.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
      expect([many.object, many.model]).toEqual(["list", "tiny"]);
    }
    const one = await client.embeddings.create({ model: "tiny", input: TEXTS[0]! });
    expect(bits(one.data)).toEqual([wanted[0]!]);
  });

  test("may send token ids, and ask for fewer dimensions", async () => {
    await using started = await startServer(model.path);
    const client = clientOf(started);
    const expected = await started.embedder.embed(TEXTS, { dimensions: 16 });
    const wanted = bitsOf(expected.map(({ embedding }) => embedding));
    const ids = TEXTS.map((text) => Array.from(started.embedder.tokenize(text)));
    const options = { model: "tiny", dimensions: 16 };
    const many = await client.embeddings.create({ ...options, input: ids });
    expect(bits(many.data)).toEqual(wanted);
    const one = await client.embeddings.create({ ...options, input: ids[0]! });
    expect(bits(one.data)).toEqual([wanted[0]!]);
  });

  test("lists the models", async () => {
    await using started = await startServer(model.path);
    const list = await clientOf(started).models.list();
    expect(list.data.map(({ id, object }) => [id, object])).toEqual([["tiny", "model"]]);
  });

  test("throws its own error for each kind of refusal", async () => {
    await using started = await startServer(model.path, { apiKeys: ["right", "other"] });
    const client = clientOf(started, "right");
    const input = "a";
    expect((await client.embeddings.create({ model: "tiny", input })).data.length).toBe(1);
    const refused = [
      [clientOf(started, "wrong"), { model: "tiny", input }, OpenAI.AuthenticationError],
      [client, { model: "nothing", input }, OpenAI.NotFoundError],
      [client, { model: "tiny", input, dimensions: 9999 }, OpenAI.BadRequestError],
    ] as const;
    for (const [who, request, kind] of refused) {
      const error = await who.embeddings.create(request).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(kind);
    }
  });
});

describe("a request", () => {
  const cases: readonly [name: string, body: unknown, status: number, error: object][] = [
    ["that is not JSON", "{", 400, { message: "the body is not JSON in UTF-8" }],
    ["without input", { model: "tiny" }, 400, { param: "input" }],
    ["of an empty string", { input: "" }, 400, { param: "input" }],
    ["with an empty string", { input: ["a", ""] }, 400, { param: "input" }],
    ["of no texts", { input: [] }, 400, { param: "input" }],
    ["of mixed input", { input: ["a", 3] }, 400, { param: "input" }],
    ["with ids that are no ids", { input: [1.5] }, 400, { param: "input" }],
    ["with ids that are no int32", { input: [2 ** 32 + 5] }, 400, { param: "input" }],
    ["with foreign ids", { input: [99999999] }, 400, { code: "invalid_request" }],
    ["with an unknown parameter", { input: "a", inputs: "b" }, 400, { param: "inputs" }],
    [
      "for an unknown format",
      { input: "a", encoding_format: "int3" },
      400,
      {
        param: "encoding_format",
      },
    ],
    ["for an unknown task", { input: "a", task: "nothing" }, 400, { code: "invalid_request" }],
    [
      "for another model",
      { input: "a", model: "gpt" },
      404,
      {
        param: "model",
        code: "model_not_found",
      },
    ],
    ["of too long a text", { input: "word ".repeat(999) }, 413, { code: "input_too_long" }],
    ["of too many texts", { input: new Array(2049).fill("a") }, 413, { code: "too_large" }],
  ];
  for (const [name, body, status, error] of cases) {
    test(`${name} is refused as OpenAI refuses`, async () => {
      await using started = await startServer(model.path);
      const response = await started.post("/v1/embeddings", body);
      expect(response.status).toBe(status);
      const found = ((await response.json()) as { error: object }).error;
      expect(Object.keys(found).sort()).toEqual(["code", "message", "param", "type"]);
      expect(found).toMatchObject({ type: "invalid_request_error", ...error });
    });
  }

  test("may ask for a task's prompt and for truncation, which others leave out", async () => {
    await using started = await startServer(model.path);
    const { embedder } = started;
    const long = "word ".repeat(999);
    for (const [body, options] of [
      [{ input: "a", task: "query" }, { task: "query" }],
      [
        { input: "a", task: "document", title: "T" },
        { task: "document", title: "T" },
      ],
      [{ input: long, truncate: "end" }, { truncate: "end" }],
    ] as const) {
      const response = await started.post("/v1/embeddings", { ...body, user: "somebody" });
      const { data } = (await response.json()) as { data: { embedding: number[] }[] };
      expect(bits(data)).toEqual(bitsOf([(await embedder.embed(body.input, options)).embedding]));
    }
  });

  test("may say that a parameter is not set", async () => {
    await using started = await startServer(model.path);
    const names = ["model", "dimensions", "encoding_format", "user", "task", "title", "truncate"];
    const unset = Object.fromEntries(names.map((name) => [name, null]));
    const response = await started.post("/v1/embeddings", { input: "a", ...unset });
    const { data } = (await response.json()) as { data: { embedding: number[] }[] };
    expect(bits(data)).toEqual(bitsOf([(await started.embedder.embed("a")).embedding]));
  });
});
