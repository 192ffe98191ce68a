import { expect, test } from "bun:test";
import { grown, IdList, trimmed, Utf8Text } from "../../src/tokenizer/scratch.ts";

test("grown at least doubles, and keeps what was there", () => {
  const small = Int32Array.of(1, 2, 3);
  expect(grown(small, 3)).toBe(small);
  expect(grown(small, 4)).toEqual(Int32Array.of(1, 2, 3, 0, 0, 0));
  expect(grown(small, 100)).toHaveLength(100);
});

test("trimmed gives back what one huge text needed, and keeps the rest", () => {
  const usual = new Uint8Array(2 ** 18);
  expect(trimmed(usual)).toBe(usual);
  expect(trimmed(new Uint8Array(2 ** 18 + 1))).toHaveLength(0);
});

test("a list of ids hands out copies", () => {
  const list = new IdList();
  for (let id = 0; id < 1000; id++) list.push(id);
  const first = list.take();
  list.reset();
  list.push(7);
  expect(list.length).toBe(1);
  expect(list.take()).toEqual(Int32Array.of(7));
  expect(first).toEqual(Int32Array.from({ length: 1000 }, (_, id) => id));
});

test("text becomes UTF-8, lone surrogates U+FFFD, at any length", () => {
  const text = new Utf8Text();
  for (const sample of ["", "é€😀", "\ud800x\udc00", "😀".repeat(10_000), "a"]) {
    const length = text.write(sample);
    expect(text.bytes.subarray(0, length)).toEqual(new TextEncoder().encode(sample));
  }
});
