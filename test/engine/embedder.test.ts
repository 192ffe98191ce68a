import { describe, expect, test } from "bun:test";
import { pathToFileURL } from "node:url";
import { type Embedder, type EmbedResult, open } from "../../src/index.ts";
import { failure } from "../failure.ts";
import { bitsOf } from "./run-native.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel();
const TEXTS = ["one", "", "two words", "a somewhat longer text, with punctuation!", "ünïcode 🙂"];

const bits = (results: readonly EmbedResult[]) => bitsOf(results.map((r) => r.embedding));

describe("embed", () => {
  test("gives one result a text, in order, with its own bits", async () => {
    await using embedder = await open(model.path);
    const together = await embedder.embed(TEXTS);
    const apart = await Promise.all(TEXTS.map((text) => embedder.embed(text)));
    expect(bits(together)).toEqual(bits(apart));
    expect(new Set(bits(together)).size).toBe(TEXTS.length);
    for (const [i, { embedding, tokens, truncated }] of together.entries()) {
      expect(embedding.length).toBe(embedder.config.embeddingSize);
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 6);
      expect(tokens).toBe(embedder.tokenize(TEXTS[i] as string).length);
      expect(truncated).toBe(0);
    }
  });

  test("gives the same bits blocking, and through a file URL", async () => {
    await using embedder = await open(pathToFileURL(model.path));
    expect(bits(embedder.embedSync(TEXTS))).toEqual(bits(await embedder.embed(TEXTS)));
    expect(bits([embedder.embedSync("one")])).toEqual(bits([await embedder.embed("one")]));
  });

  test("blocks safely while other calls are in flight", async () => {
    await using embedder = await open(model.path);
    const pending = Array.from({ length: 500 }, () => embedder.embed("one"));
    const blocked = embedder.embedSync("one");
    const all = await Promise.all(pending);
    expect(new Set(bits([blocked, ...all])).size).toBe(1);
  });

  test("takes the array as it was when called", async () => {
    await using embedder = await open(model.path);
    const long = "word ".repeat(8);
    const texts = Array.from({ length: 3000 }, (_, i) => `${i} ${long}`);
    const whole = embedder.embed(texts);
    texts.length = 1;
    expect((await whole).length).toBe(3000);
  });

  test("tokenizes a text of more ids than a call has room for arguments", async () => {
    await using embedder = await open(model.path);
    const ids = embedder.tokenize("a b ".repeat(500_000));
    expect(embedder.detokenize(ids)).toBe("a b ".repeat(500_000));
  });

  test("takes an empty list", async () => {
    await using embedder = await open(model.path);
    expect(await embedder.embed([])).toEqual([]);
    expect(embedder.embedSync([])).toEqual([]);
  });

  test("cuts to dimensions and normalises again", async () => {
    await using embedder = await open(model.path);
    const whole = (await embedder.embed("one", { normalize: false })).embedding;
    const { embedding } = await embedder.embed("one", { dimensions: 10 });
    const length = Math.hypot(...whole.subarray(0, 10));
    expect(embedding.length).toBe(10);
    for (const [i, x] of embedding.entries()) expect(x).toBeCloseTo(whole[i]! / length, 6);
  });

  test("puts the prompt of a task before the text", async () => {
    await using embedder = await open(model.path);
    const [query, document] = await Promise.all([
      embedder.embed("x", { task: "query" }),
      embedder.embed("x", { task: "document", title: "T" }),
    ]);
    const verbatim = await embedder.embed(["task: search result | query: x", "title: T | text: x"]);
    expect(bits([query, document])).toEqual(bits(verbatim));
  });

  test("without pooling gives a vector a token", async () => {
    await using embedder = await open(model.path, { pooling: "none" });
    const [result] = await embedder.embed(["two words", "one"]);
    const { hiddenSize } = embedder.config;
    expect(result!.embedding.length).toBe(result!.tokens * hiddenSize);
  });
});

describe("a text longer than the context", () => {
  const long = "word ".repeat(300);

  test("is an error that names it", async () => {
    await using embedder = await open(model.path);
    const error = await failure(() => embedder.embed(["one", long]));
    expect(error.code).toBe("INPUT_TOO_LONG");
    expect(error.message).toContain("text 1 has");
    expect(error.message).toContain(String(embedder.config.contextLength));
  });

  test("is cut at either end, special tokens and prompt kept", async () => {
    await using embedder = await open(model.path);
    const { contextLength } = embedder.config;
    const ids = embedder.tokenize(`task: search result | query: ${long}`);
    const prompt = embedder.tokenize("task: search result | query: ").slice(1, -1);
    for (const truncate of ["end", "start"] as const) {
      const result = await embedder.embed(long, { truncate, task: "query" });
      expect(result.tokens).toBe(contextLength);
      expect(result.truncated).toBe(ids.length - contextLength);
    }
    const { prepareText } = await import("../../src/pipeline/prepare.ts");
    const { openTokenizer } = await import("../../src/index.ts");
    const tokenizer = await openTokenizer(model.path);
    const limits = { tokenizer, contextLength };
    const from = (truncate: "end" | "start") => {
      const preparation = { prompt: "task: search result | query: ", truncate };
      return Array.from(prepareText(limits, preparation, long, 0).ids);
    };
    expect(from("end")).toEqual([...ids.slice(0, contextLength - 1), ids.at(-1)!]);
    const kept = contextLength - 1 - prompt.length;
    expect(from("start")).toEqual([ids[0]!, ...prompt, ...ids.slice(-kept)]);
  });
});

describe("bad arguments", () => {
  const cases: readonly [name: string, call: (e: Embedder) => unknown, message: string][] = [
    ["a text that is no string", (e) => e.embed(["a", 3 as unknown as string]), "text 1"],
    ["a hole in an array", (e) => e.embed(new Array<string>(1)), "text 0"],
    ["a hole, blocking", (e) => e.embedSync(new Array<string>(1)), "text 0"],
    ["input that is no array", (e) => e.embed({} as unknown as string[]), "or an array of those"],
    ["dimensions beyond the width", (e) => e.embed("a", { dimensions: 1e6 }), "dimensions"],
    ["half a dimension", (e) => e.embed("a", { dimensions: 1.5 }), "dimensions"],
    ["a normalize", (e) => e.embed("a", { normalize: "no" as unknown as false }), "normalize"],
    ["an unknown task", (e) => e.embed("a", { task: "dance" }), "dance"],
    ["an unknown truncation", (e) => e.embed("a", { truncate: "x" as "end" }), "truncate"],
    ["an unknown token", (e) => e.detokenize([1e9]), "1000000000"],
  ];
  for (const [name, call, message] of cases) {
    test(name, async () => {
      await using embedder = await open(model.path);
      const error = await failure(() => call(embedder));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain(message);
    });
  }

  test("of open", async () => {
    const wrong = [
      { threads: 0 },
      { threads: 1.5 },
      { parallelism: "x" as "auto" },
      { pooling: "x" as "mean" },
      { precision: "x" as "high" },
    ];
    for (const options of wrong) {
      const error = await failure(() => open(model.path, options));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain(Object.keys(options)[0] as string);
    }
    const address = "https://example.org/x.gguf";
    expect((await failure(() => open(address, { offline: true }))).code).toBe("OFFLINE");
    const places = [
      new URL("https://example.org/x"),
      "file://elsewhere/x.gguf",
      "file://%zz",
      "x\0.gguf",
      3 as unknown as string,
    ];
    for (const place of places) {
      expect((await failure(() => open(place))).code).toBe("INVALID_ARGUMENT");
    }
  });
});

describe("abort", () => {
  test("rejects with the signal's reason, and other calls lose nothing", async () => {
    await using embedder = await open(model.path, { threads: 2 });
    const expected = bits([await embedder.embed("one")]);
    const many = Array.from({ length: 400 }, (_, i) => `text number ${i} of many`);
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      const reason = new Error(`round ${round}`);
      const cancelled = embedder.embed(many, { signal: controller.signal });
      const beside = embedder.embed("one");
      setTimeout(() => controller.abort(reason), round % 5);
      expect(cancelled).rejects.toBe(reason);
      expect(bits([await beside])).toEqual(expected);
      await cancelled.catch(() => {});
    }
  });

  test("before the call, and of open", async () => {
    const reason = new Error("too late");
    const signal = AbortSignal.abort(reason);
    await using embedder = await open(model.path);
    expect(embedder.embed("one", { signal })).rejects.toBe(reason);
    expect(open(model.path, { signal })).rejects.toBe(reason);
  });
});

describe("close", () => {
  test("waits for what runs, refuses what comes after, and may be called again", async () => {
    const embedder = await open(model.path);
    const running = embedder.embed(TEXTS);
    const closing = embedder.close();
    expect((await running).length).toBe(TEXTS.length);
    await closing;
    await embedder.close();
    const calls = [
      () => embedder.embed("one"),
      () => embedder.embedSync("one"),
      () => embedder.tokenize("one"),
      () => embedder.detokenize([1]),
      () => embedder.stream(["one"]),
      () => embedder.fingerprintLayers("one"),
    ];
    for (const call of calls) expect((await failure(call)).code).toBe("CLOSED");
  });

  test("ends a stream that goes on", async () => {
    const embedder = await open(model.path);
    function* endless() {
      while (true) yield "text";
    }
    const results = embedder.stream(endless());
    await results.next();
    await embedder.close();
    const rest = async () => {
      for await (const { index } of results) expect(index).toBeLessThanOrEqual(2 * 1024);
    };
    expect((await failure(rest)).code).toBe("CLOSED");
  });

  test("of one model leaves another open on the same file", async () => {
    const first = await open(model.path);
    await using second = await open(model.path);
    const expected = bits([await first.embed("one")]);
    await first.close();
    expect(bits([await second.embed("one")])).toEqual(expected);
  });
});
