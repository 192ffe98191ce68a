import { expect, test } from "bun:test";
import { open } from "../../src/index.ts";
import { Feed } from "../../src/queue/feed.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { failure } from "../failure.ts";

const { path } = tinyModel();
const LONG = "word ".repeat(300);

const texts = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${name} number ${i}`);

test("batches that are fed together get the vectors that each gets alone", async () => {
  await using model = await open(path);
  const feed = new Feed(model, { task: "query", dimensions: 16 });
  const batches = ["a", "b", "c"].map((name) => texts(name, 130));
  const found = await Promise.all(batches.map((each) => feed.embed(each, "error", undefined)));
  const expected = await Promise.all(
    batches.map((each) => model.embed(each, { task: "query", dimensions: 16 })),
  );
  const vectors = (results: typeof found) => results.map((each) => each.map((r) => r.embedding));
  expect(vectors(found)).toEqual(vectors(expected));
  // Afterwards, too, when the stream has ended.
  const [again] = await feed.embed(["a number 0"], "error", undefined);
  expect(again?.embedding).toEqual(expected[0]![0]!.embedding);
});

test("a text at fault costs its own batch alone, and each is cut in its own way", async () => {
  await using model = await open(path);
  const feed = new Feed(model, {});
  const [before, bad, cut, after] = await Promise.allSettled([
    feed.embed(texts("a", 3), "error", undefined),
    feed.embed(["fine", "fine too", LONG, "unread"], "error", undefined),
    feed.embed([LONG], "end", undefined),
    feed.embed(texts("b", 3), "error", undefined),
  ]);
  expect([before.status, cut.status, after.status]).toEqual(Array(3).fill("fulfilled"));
  const reason = bad.status === "rejected" ? bad.reason : undefined;
  expect([reason?.code, reason?.index]).toEqual(["INPUT_TOO_LONG", 2]);
  expect(reason?.message).toStartWith("text 2 has ");
});

test("who gives up is let go at once, and nothing waits for what he wanted", async () => {
  const model = await open(path);
  const feed = new Feed(model, {});
  const stop = new AbortController();
  const given = feed.embed(texts("a", 128), "error", stop.signal);
  const reason = new Error("enough");
  stop.abort(reason);
  expect(await given.catch((error) => error)).toBe(reason);
  const late = feed.embed(["b"], "error", stop.signal);
  expect(await late.catch((error) => error)).toBe(reason);
  expect((await feed.embed(["b"], "error", undefined)).length).toBe(1);
  await model.close();
  const closed = await failure(() => feed.embed(["b"], "error", undefined));
  expect(closed.code).toBe("CLOSED");
});
