import { describe, expect, test } from "bun:test";
import { Ollama } from "ollama";
import { bitsOf } from "../engine/run-native.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { type Started, startServer } from "./start.ts";

const model = tinyModel();
const TEXTS = ["the quick brown fox", "jumps over"];
const LONG = "word ".repeat(999);

const bits = (vectors: readonly (readonly number[])[]) =>
  bitsOf(vectors.map((vector) => Float32Array.from(vector)));

describe("/embed", () => {
  test("takes an array of texts", async () => {
    await using started = await startServer(model.path);
    const response = await started.post("/embed", TEXTS);
    const expected = await started.embedder.embed(TEXTS);
    expect(bits((await response.json()) as number[][])).toEqual(
      bitsOf(expected.map(({ embedding }) => embedding)),
    );
  });

  test("takes what Text Embeddings Inference takes", async () => {
    await using started = await startServer(model.path);
    const { embedder } = started;
    const ids = Array.from(embedder.tokenize("one"));
    for (const [body, input, options] of [
      [{ inputs: "one" }, "one", {}],
      [{ inputs: ["one", ids] }, ["one", "one"], {}],
      [{ inputs: "one", normalize: false }, "one", { normalize: false }],
      [{ inputs: LONG, truncate: true }, LONG, { truncate: "end" }],
      [{ inputs: LONG, truncate: true, truncation_direction: "Left" }, LONG, { truncate: "start" }],
      [{ inputs: "one", prompt_name: "query" }, "one", { task: "query" }],
      [
        { inputs: "one", prompt_name: null, truncate: null, dimensions: 8 },
        "one",
        { dimensions: 8 },
      ],
    ] as const) {
      const response = await started.post("/embed", body);
      expect(response.status).toBe(200);
      const inputs: readonly string[] = typeof input === "string" ? [input] : input;
      const expected = await embedder.embed(inputs, options);
      expect(bits((await response.json()) as number[][])).toEqual(
        bitsOf(expected.map(({ embedding }) => embedding)),
      );
    }
  });

  test("refuses in that server's words", async () => {
    await using started = await startServer(model.path);
    for (const [body, status, type] of [
      [{ inputs: LONG }, 413, "Validation"],
      [{ inputs: "a", raw_scores: true }, 400, "Validation"],
      [[], 400, "Validation"],
      [{ inputs: "a", prompt_name: "nothing" }, 400, "Validation"],
      [undefined, 405, "Validation"],
    ] as const) {
      const response = await (body === undefined
        ? fetch(`${started.url}embed`)
        : started.post("/embed", body));
      expect(response.status).toBe(status);
      const { error, error_type } = (await response.json()) as Record<string, string>;
      expect(error_type).toBe(type);
      expect(error!.length).toBeGreaterThan(10);
    }
  });
});

describe("/tokenize", () => {
  const tokenize = async (started: Started, body: unknown) =>
    (await (await started.post("/tokenize", body)).json()) as {
      readonly id: number;
      readonly text: string;
      readonly special: boolean;
    }[][];

  test("gives the model's tokens, whose texts are the text", async () => {
    await using started = await startServer(model.path);
    const { embedder } = started;
    const texts = ["the quick  brown fox", "ünïcödé 😀"];
    const tokens = await tokenize(started, { inputs: texts, model: "tiny" });
    for (const [i, text] of texts.entries()) {
      const ids = tokens[i]!.map(({ id }) => id);
      expect(ids).toEqual(Array.from(embedder.tokenize(text)));
      const words = tokens[i]!.map((token) => token.text).join("");
      // Characters of several tokens are in none of them.
      if (i === 0) expect(words).toBe(embedder.detokenize(ids));
      expect(tokens[i]!.map(({ special }) => special)).toEqual([
        true,
        ...ids.slice(2).map(() => false),
        true,
      ]);
    }
    const [bare] = await tokenize(started, { inputs: texts[0], add_special_tokens: false });
    expect(bare!.length).toBe(tokens[0]!.length - 2);
  });

  test("refuses what it cannot do, in that server's words", async () => {
    await using started = await startServer(model.path, { itemsMax: 2, apiKeys: ["key"] });
    const headers = { authorization: "Bearer key" };
    for (const [body, status, says] of [
      [{ inputs: 3 }, 400, "expected a string"],
      [{ inputs: [] }, 400, "expected a string"],
      [{ inputs: "a", prompt_name: "query" }, 400, "prompt_name"],
      [{ inputs: ["a", "b", "c"] }, 413, "takes 2"],
      [{ inputs: "a".repeat(16_385) }, 413, "takes 16384"],
      [{ inputs: "a", model: "none" }, 404, "no model"],
    ] as const) {
      const response = await started.post("/tokenize", body, { headers });
      expect(response.status).toBe(status);
      expect(((await response.json()) as { error: string }).error).toContain(says);
    }
    expect((await started.post("/tokenize", { inputs: "a" })).status).toBe(401);
  });
});

describe("the real ollama client", () => {
  test("gets the library's bits", async () => {
    await using started = await startServer(model.path);
    const client = new Ollama({ host: started.url });
    for (const [input, extra, options] of [
      [TEXTS, {}, {}],
      [["one"], { dimensions: 8 }, { dimensions: 8 }],
      [[LONG], {}, { truncate: "end" }],
    ] as const) {
      const answer = await client.embed({ model: "tiny:latest", input: [...input], ...extra });
      const expected = await started.embedder.embed(input, options);
      expect(bits(answer.embeddings)).toEqual(bitsOf(expected.map(({ embedding }) => embedding)));
      const tokens = expected.reduce((total, result) => total + result.tokens, 0);
      expect(answer.prompt_eval_count).toBe(tokens);
      expect(answer.model).toBe("tiny:latest");
      expect(answer.total_duration).toBeGreaterThan(1000);
    }
  });

  test("may say that something is not set", async () => {
    await using started = await startServer(model.path);
    const unset = {
      truncate: null,
      dimensions: null,
      keep_alive: null,
      options: { num_ctx: null },
    };
    const body = { model: "tiny", input: LONG, ...unset };
    expect((await started.post("/api/embed", body)).status).toBe(200);
  });

  test("hears why not", async () => {
    await using started = await startServer(model.path);
    const client = new Ollama({ host: started.url });
    const input = "a";
    const refused = [
      [{ model: "other", input }, "there is no model"],
      [{ model: "tiny", input: LONG, truncate: false }, "tokens"],
      [
        { model: "tiny", input, options: { num_ctx: 8 } },
        "options.num_ctx: there are no options here",
      ],
      [{ model: "tiny", input, keep_alive: "5m" }, "models stay open here"],
    ] as const;
    for (const [request, message] of refused) {
      expect(client.embed(request)).rejects.toThrow(message);
      await client.embed(request).catch(() => {});
    }
  });
});
