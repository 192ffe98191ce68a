import { describe, expect, test } from "bun:test";
import {
  BATCH_CHARS,
  BATCH_TEXTS,
  type BatchData,
  batchId,
  partOf,
} from "../../src/queue/batch.ts";
import { cut } from "../../src/queue/cut.ts";
import type { QueueText } from "../../src/queue/index.ts";
import { failure } from "../failure.ts";

const SETTINGS = { run: "notes", truncate: "error" } as const;

const texts = (count: number, length = 10): QueueText[] =>
  Array.from({ length: count }, (_, i) => ({ id: `n${i}`, text: "x".repeat(length) }));

function batches(input: Iterable<QueueText>): Promise<BatchData[]> {
  return Array.fromAsync(cut(input, SETTINGS));
}

describe("an input is cut into batches", () => {
  test("of so many texts, with the place of each", async () => {
    const found = await batches(texts(2 * BATCH_TEXTS + 1));
    expect(found.map((batch) => [batch.position, batch.texts.length])).toEqual([
      [0, BATCH_TEXTS],
      [BATCH_TEXTS, BATCH_TEXTS],
      [2 * BATCH_TEXTS, 1],
    ]);
    expect(found.flatMap(({ ids }) => ids)).toEqual(texts(2 * BATCH_TEXTS + 1).map(({ id }) => id));
  });

  test("of so many characters, but for a text that alone has more", async () => {
    const long = texts(4, BATCH_CHARS / 2 - 100);
    const huge = { id: "huge", text: "y".repeat(2 * BATCH_CHARS) };
    const found = await batches([...long, huge, ...texts(1)]);
    expect(found.map(({ ids }) => ids)).toEqual([["n0", "n1"], ["n2", "n3"], ["huge"], ["n0"]]);
  });

  test("none for nothing", async () => {
    expect(await batches([])).toEqual([]);
  });

  test("each named by all that it says", async () => {
    const one = { id: "a", text: "one", fields: { page: 1 } };
    const idOf = async (text: QueueText, settings: Partial<BatchData> = {}) => {
      const [batch] = await Array.fromAsync(cut([text], { ...SETTINGS, ...settings }));
      return batchId(batch!);
    };
    const ids = await Promise.all([
      idOf(one),
      idOf({ ...one, text: "two" }),
      idOf({ ...one, id: "b" }),
      idOf({ ...one, fields: { page: 2 } }),
      idOf(one, { run: "others" }),
      idOf(one, { truncate: "end" }),
    ]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await idOf({ ...one })).toBe(ids[0]!);
  });

  test("and a text can be set apart, where it stood", async () => {
    const [batch] = await batches(texts(3));
    expect(partOf(batch!, 1)).toEqual({
      run: "notes",
      truncate: "error",
      position: 1,
      texts: ["x".repeat(10)],
      ids: ["n1"],
      fields: ["{}"],
    });
  });
});

test.each([
  [{ id: "", text: "x" }, "the id of text 1 is no string, or empty"],
  [{ id: 7, text: "x" }, "the id of text 1 is no string, or empty"],
  [{ id: "a", text: 1 }, "text 1 is no string"],
  [{ id: "a", text: "x", fields: [] }, "the fields of text 1 are no object"],
  [{ id: "n0", text: "x" }, 'text 1 has the id "n0", which a text shortly before it has'],
])("%p is refused", async (text, message) => {
  const error = await failure(() => batches([...texts(1), text as unknown as QueueText]));
  expect([error.code, error.message]).toEqual([
    "INVALID_ARGUMENT",
    expect.stringContaining(message),
  ]);
});
