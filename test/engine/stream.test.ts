import { expect, test } from "bun:test";
import { type EmbedResult, open } from "../../src/index.ts";
import { failure } from "../failure.ts";
import { bitsOf } from "./run-native.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel({ architecture: "bert" });

test("results come in input order, from iterables and async iterables alike", async () => {
  await using embedder = await open(model.path);
  const texts = Array.from({ length: 3000 }, (_, i) => `text ${"word ".repeat((i * 7) % 11)} ${i}`);
  const expected = bitsOf((await embedder.embed(texts)).map((r) => r.embedding));
  async function* slowly() {
    for (const [i, text] of texts.entries()) {
      if (i % 1000 === 0) await Bun.sleep(1);
      yield text;
    }
  }
  for (const source of [texts, slowly()]) {
    const found: EmbedResult[] = [];
    for await (const { index, ...result } of embedder.stream(source)) {
      expect(index).toBe(found.length);
      found.push(result);
    }
    expect(bitsOf(found.map((r) => r.embedding))).toEqual(expected);
  }
});

test("a slow source's texts do not wait for company", async () => {
  await using embedder = await open(model.path);
  const gate = Promise.withResolvers<void>();
  async function* source() {
    yield "first";
    await gate.promise;
    yield "second";
  }
  const results = embedder.stream(source());
  // The second text is not there until the first result is.
  expect((await results.next()).value.index).toBe(0);
  gate.resolve();
  expect((await results.next()).value.index).toBe(1);
  expect((await results.next()).done).toBe(true);
});

test("reads ahead by a bounded number of texts", async () => {
  await using embedder = await open(model.path);
  let read = 0;
  function* endless() {
    while (true) {
      read += 1;
      yield "text";
    }
  }
  const results = embedder.stream(endless());
  await results.next();
  await Bun.sleep(20);
  expect(read).toBeLessThanOrEqual(2 * 1024);
  await results.return?.();
});

test("an error comes after the results of the texts before it", async () => {
  await using embedder = await open(model.path);
  const found: number[] = [];
  const run = async () => {
    for await (const { index } of embedder.stream(["a", "b", "word ".repeat(500), "c"])) {
      found.push(index);
    }
  };
  expect(run()).rejects.toThrow("text 2 has");
  await run().catch(() => {});
  expect(found).toEqual([0, 1, 0, 1]);
});

test("leaving early closes the source", async () => {
  await using embedder = await open(model.path);
  let closed = false;
  async function* source() {
    try {
      while (true) yield "text";
    } finally {
      closed = true;
    }
  }
  for await (const { index } of embedder.stream(source())) if (index === 3) break;
  expect(closed).toBe(true);
});

test("aborting ends a stream whose source gives nothing", async () => {
  await using embedder = await open(model.path);
  const controller = new AbortController();
  async function* silent() {
    yield "first";
    await new Promise(() => {});
  }
  const results = embedder.stream(silent(), { signal: controller.signal });
  await results.next();
  const reason = new Error("enough");
  setTimeout(() => controller.abort(reason), 5);
  expect(results.next()).rejects.toBe(reason);
});

test("leaving does not wait for a source that gives nothing", async () => {
  await using embedder = await open(model.path);
  async function* silent() {
    yield "first";
    await new Promise(() => {});
  }
  for await (const { index } of embedder.stream(silent())) {
    expect(index).toBe(0);
    break;
  }
});

test("what is no source of texts is refused", async () => {
  await using embedder = await open(model.path);
  const cases: readonly [unknown, string][] = [
    ["text", "the input is string"],
    [Int32Array.of(1), "the input is Int32Array"],
    [null, "the input is null"],
    [{ a: 1 }, "the input is Object"],
    [function* () {}, "the input is function"],
  ];
  for (const [input, message] of cases) {
    const error = await failure(() => embedder.stream(input as string[]));
    expect([error.code, error.message]).toEqual([
      "INVALID_ARGUMENT",
      expect.stringContaining(message),
    ]);
  }
});
