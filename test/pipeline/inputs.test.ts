import { describe, expect, test } from "bun:test";
import { bool } from "../../src/gguf/values.ts";
import { type Embedder, open, type TextInput } from "../../src/index.ts";
import { bitsOf } from "../engine/run-native.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { failure } from "../failure.ts";

const model = tinyModel();
const TEXT = "the quick brown fox";

const bitsFor = async (embedder: Embedder, input: TextInput, options = {}) =>
  bitsOf([(await embedder.embed(input, options)).embedding]);

describe("token ids", () => {
  test("give what the text gives, beside texts and alone", async () => {
    await using embedder = await open(model.path);
    const ids = embedder.tokenize(TEXT);
    const [a, b] = await embedder.embed([TEXT, ids]);
    expect(bitsOf([b!.embedding])).toEqual(bitsOf([a!.embedding]));
    expect(b!.tokens).toBe(ids.length);
    expect(bitsOf([embedder.embedSync(ids).embedding])).toEqual(bitsOf([a!.embedding]));
    for await (const { embedding } of embedder.stream([ids])) {
      expect(bitsOf([embedding])).toEqual(bitsOf([a!.embedding]));
    }
  });

  test("are taken as they are, without special tokens of ours", async () => {
    await using embedder = await open(model.path);
    const ids = embedder.tokenize(TEXT);
    const bare = await embedder.embed(ids.slice(1, -1));
    expect(bare.tokens).toBe(ids.length - 2);
    expect(bitsOf([bare.embedding])).not.toEqual(await bitsFor(embedder, TEXT));
  });

  test("may change while the call runs", async () => {
    await using embedder = await open(model.path);
    const expected = await bitsFor(embedder, TEXT);
    const ids = embedder.tokenize(TEXT);
    const call = bitsFor(embedder, ids);
    ids.fill(0);
    expect(await call).toEqual(expected);
  });

  test("too many of them are cut between the special tokens", async () => {
    await using embedder = await open(model.path);
    const { contextLength } = embedder.config;
    const long = embedder.tokenize("word ".repeat(300));
    const cuts = {
      end: [...long.slice(0, contextLength - 1), long.at(-1)!],
      start: [long[0]!, ...long.slice(-(contextLength - 1))],
    };
    for (const truncate of ["end", "start"] as const) {
      const result = await embedder.embed(long, { truncate });
      expect([result.tokens, result.truncated]).toEqual([
        contextLength,
        long.length - contextLength,
      ]);
      const expected = await bitsFor(embedder, Int32Array.from(cuts[truncate]));
      expect(bitsOf([result.embedding])).toEqual(expected);
    }
    // Without special tokens there is nothing to keep.
    const bare = long.slice(1, -1);
    expect(await bitsFor(embedder, bare, { truncate: "end" })).toEqual(
      await bitsFor(embedder, bare.slice(0, contextLength)),
    );
    const error = await failure(() => embedder.embed(["a", long]));
    expect([error.code, error.index]).toEqual(["INPUT_TOO_LONG", 1]);
  });

  test("none, foreign ones and those behind a prompt are refused, with their place", async () => {
    await using embedder = await open(model.path);
    const { vocabSize } = embedder.config;
    const cases: readonly [TextInput, object, string][] = [
      [new Int32Array(0), {}, "text 1 has no tokens"],
      [Int32Array.of(2, vocabSize), {}, `text 1 has the token ${vocabSize}`],
      [Int32Array.of(-1), {}, "text 1 has the token -1"],
      [Int32Array.of(2, 5), { task: "query" }, "text 1 has a prompt"],
      [[1, 2] as unknown as Int32Array, {}, "token ids come as an Int32Array"],
      [Float32Array.of(1) as unknown as Int32Array, {}, "found Float32Array"],
    ];
    for (const [input, options, message] of cases) {
      const first = input instanceof Int32Array ? Int32Array.of(5) : "a";
      const inputs = "task" in options ? ["a", input] : [first, input];
      const error = await failure(() => embedder.embed(inputs, options));
      expect([error.code, error.index]).toEqual(["INVALID_ARGUMENT", 1]);
      expect(error.message).toContain(message);
    }
  });
});

describe("a limit of tokens", () => {
  test("is of all texts of a call, and may be reached", async () => {
    await using embedder = await open(model.path, { cacheBytes: 1e6 });
    const texts = [TEXT, "fox", TEXT];
    const tokenLimit = texts.reduce((sum, text) => sum + embedder.tokenize(text).length, 0);
    expect(await embedder.embed(texts, { tokenLimit })).toHaveLength(3);
    // Known vectors count as the texts that they are of.
    const calls = [
      () => embedder.embed(texts, { tokenLimit: tokenLimit - 1 }),
      async () => embedder.embedSync(texts, { tokenLimit: tokenLimit - 1 }),
    ];
    for (const call of calls) {
      const { code, message } = await failure(call);
      expect(code).toBe("INPUT_TOO_LONG");
      expect(message).toStartWith(`the texts have more than ${tokenLimit - 1} tokens in all`);
    }
    expect(embedder.stats().queue.texts).toBe(0);
  });

  test("counts what truncation leaves", async () => {
    await using embedder = await open(model.path);
    const { contextLength } = embedder.config;
    const options = { truncate: "end", tokenLimit: contextLength } as const;
    const { tokens } = await embedder.embed("word ".repeat(2 * contextLength), options);
    expect(tokens).toBe(contextLength);
  });

  test.each([0, -1, 1.5, Number.NaN])("of %p is refused", async (tokenLimit) => {
    await using embedder = await open(model.path);
    const { code, message } = await failure(() => embedder.embed(TEXT, { tokenLimit }));
    expect(code).toBe("INVALID_ARGUMENT");
    expect(message).toBe(`tokenLimit is ${tokenLimit}; it must be a whole number from 1`);
  });
});

describe("an empty text", () => {
  test("is its special tokens and the prompt", async () => {
    await using embedder = await open(model.path);
    const result = await embedder.embed("");
    const specials = embedder.tokenize("");
    expect(result.tokens).toBe(specials.length);
    expect(result.tokens).toBe(2);
    expect(bitsOf([result.embedding])).toEqual(await bitsFor(embedder, specials));
    const prompted = await embedder.embed("", { task: "query" });
    expect(prompted.tokens).toBeGreaterThan(2);
  });

  test("of a model without special tokens is refused", async () => {
    const bare = await open(model.path);
    await bare.close();
    const flags = ["add_bos_token", "add_eos_token"].map((name) => [
      `tokenizer.ggml.${name}`,
      bool(false),
    ]);
    const { makeTinyModel } = await import("../reference/tiny.ts");
    const path = `${model.folder}/bare.gguf`;
    const metadata = Object.fromEntries(flags);
    await makeTinyModel({ architecture: "gemma-embedding", type: "F32", metadata }, path);
    await using embedder = await open(path);
    const error = await failure(() => embedder.embed(["a", ""]));
    expect([error.code, error.index]).toEqual(["INVALID_ARGUMENT", 1]);
    expect(error.message).toStartWith("text 1 has no tokens");
  });
});

describe("prompts", () => {
  test("of the caller's own count, for a call and for a model", async () => {
    await using embedder = await open(model.path);
    await using own = await open(model.path, { prompts: { query: "ask: ", notes: "{title}: " } });
    expect(own.tasks).toContain("notes");
    const expected = await bitsFor(embedder, `ask: ${TEXT}`);
    expect(await bitsFor(embedder, TEXT, { prompt: "ask: " })).toEqual(expected);
    expect(await bitsFor(own, TEXT, { task: "query" })).toEqual(expected);
    expect(await bitsFor(own, TEXT, { task: "notes", title: "Mars" })).toEqual(
      await bitsFor(embedder, `Mars: ${TEXT}`),
    );
  });
});

describe("a text of megabytes", () => {
  test("leaves the event loop its turns while it is tokenized, and gives the same", async () => {
    await using embedder = await open(model.path);
    const long = "word ".repeat(1_000_000);
    const expected = embedder.embedSync(long, { truncate: "end" });
    let turns = 0;
    let done = false;
    const count = () => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    count();
    // Others are answered meanwhile.
    const order: string[] = [];
    const large = embedder.embed(long, { truncate: "end" }).then((result) => {
      order.push("large");
      return result;
    });
    await embedder.embed("small").then(() => order.push("small"));
    const result = await large;
    done = true;
    expect(order).toEqual(["small", "large"]);
    // Of two milliseconds each: how many there are, the machine decides.
    expect(turns).toBeGreaterThan(8);
    expect([result.tokens, result.truncated]).toEqual([expected.tokens, expected.truncated]);
    expect(bitsOf([result.embedding])).toEqual(bitsOf([expected.embedding]));
  });

  test("can be cancelled while it is tokenized", async () => {
    await using embedder = await open(model.path);
    const reason = new Error("enough");
    const controller = new AbortController();
    const call = embedder.embed("word ".repeat(1_000_000), { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    expect(await call.catch((error) => error)).toBe(reason);
    expect(embedder.stats().queue.texts).toBe(0);
  });
});

describe("a document", () => {
  const document = Array.from({ length: 40 }, (_, i) => `Sentence number ${i} of it.`).join(" ");

  test("comes in chunks that the model takes whole, as it counts them", async () => {
    await using embedder = await open(model.path);
    const chunks = await Array.fromAsync(embedder.chunk(document));
    expect(chunks.length).toBeGreaterThan(1);
    const results = await embedder.embed(chunks.map(({ text }) => text));
    for (const [i, { text, start, end, tokens }] of chunks.entries()) {
      expect(text).toBe(document.slice(start, end));
      expect(tokens).toBe(results[i]!.tokens);
    }
  });

  test("leaves room for a task's prompt and a title", async () => {
    await using embedder = await open(model.path);
    for (const prompt of [{ task: "document", title: "Mars" }, { prompt: "ask: " }]) {
      const chunks = await Array.fromAsync(embedder.chunk(document, { ...prompt, maxTokens: 60 }));
      const results = await embedder.embed(
        chunks.map(({ text }) => text),
        prompt,
      );
      expect(results.map(({ tokens }) => tokens)).toEqual(chunks.map(({ tokens }) => tokens));
      expect(Math.max(...results.map(({ tokens }) => tokens))).toBeLessThanOrEqual(60);
    }
  });

  test("of a closed model, of no text or for an unknown task is refused", async () => {
    const embedder = await open(model.path);
    const unknown = await failure(() => embedder.chunk(document, { task: "nothing" }));
    expect(unknown.code).toBe("INVALID_ARGUMENT");
    const noText = await failure(() => embedder.chunk(3 as unknown as string));
    expect(noText.code).toBe("INVALID_ARGUMENT");
    await embedder.close();
    expect((await failure(() => embedder.chunk(document))).code).toBe("CLOSED");
  });
});
