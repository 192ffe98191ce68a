import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { readGguf } from "../../src/gguf/reader.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { hasShared, readGolden, sharedNote, sharedPath } from "../reference/golden.ts";
import { allIds, gemmaMetadata, goldenLines, minilmMetadata, tokenizerOf } from "./vocabularies.ts";

/** Reading Gemma's vocabulary from JSON may take a slow machine some seconds. */
const SLOW_MS = 60_000;

let gemma: Tokenizer;
beforeAll(async () => {
  gemma = tokenizerOf(await gemmaMetadata());
}, SLOW_MS);

function differing(
  tokenizer: Tokenizer,
  lines: readonly { text: string; ids: readonly number[] }[],
) {
  const found = lines.map(({ text }) => ({ text, ids: allIds(tokenizer, text) }));
  return found.filter(({ ids }, i) => !Bun.deepEquals(ids, lines[i]!.ids));
}

function drain(steps: Generator<undefined, Int32Array, undefined>): Int32Array {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe("equal to Hugging Face:", () => {
  const gemmaLines = goldenLines("gemma3-tokens.jsonl");
  test(`all ${gemmaLines.length} lines for Gemma 3`, () => {
    expect(differing(gemma, gemmaLines)).toEqual([]);
    expect(gemmaLines.length).toBe(470);
  });

  const minilmLines = goldenLines("minilm-tokens.jsonl");
  test(`all ${minilmLines.length} lines for all-MiniLM-L6-v2`, () => {
    expect(differing(tokenizerOf(minilmMetadata()), minilmLines)).toEqual([]);
    expect(minilmLines.length).toBe(470);
  });

  test.skipIf(!hasShared)(`MiniLM's file by llama.cpp${sharedNote}`, async () => {
    const file = await readGguf(sharedPath("models/all-minilm-l6-v2-Q8_0.gguf"));
    expect(differing(tokenizerOf(file.metadata), minilmLines)).toEqual([]);
  });

  test.skipIf(!hasShared)(`the vocabulary cut to 8,192 pieces${sharedNote}`, async () => {
    const { metadata } = await readGguf(sharedPath("models/mini-Q8_0.gguf"));
    expect(differing(tokenizerOf(metadata), readGolden("mini-Q8_0"))).toEqual([]);
  });

  test.skipIf(!hasShared)(`the whole vocabulary of XLM-RoBERTa${sharedNote}`, async () => {
    const file = await readGguf(sharedPath("models/vocab/ggml-vocab-nomic-bert-moe.gguf"));
    const tokenizer = tokenizerOf(file.metadata);
    const lines = readFileSync(sharedPath("golden/tokens-xlmr.jsonl"), "utf8").trim().split("\n");
    const expected = lines.map((line) => JSON.parse(line));
    expect(differing(tokenizer, expected)).toEqual([]);
    expect(lines.length).toBe(400);
    const texts = expected.map(({ text }) => text).join(" ");
    expect(drain(tokenizer.encodeInSteps(texts))).toEqual(tokenizer.encode(texts));
  });

  for (const name of ["xlmr-cls", "nomic-bert-moe"]) {
    test.skipIf(!hasShared)(`${name}, a vocabulary cut short${sharedNote}`, async () => {
      const { metadata } = await readGguf(sharedPath(`models/arch/${name}.gguf`));
      expect(differing(tokenizerOf(metadata), readGolden(name))).toEqual([]);
    });
  }
});

describe("Gemma's vocabulary", () => {
  const encode = (text: string) => [...gemma.encode(text)];

  test("has BOS and EOS, and they are in no content", () => {
    expect(gemma).toMatchObject({ model: "llama", vocabSize: 262_144, prefix: [2], suffix: [1] });
    expect(encode("")).toEqual([]);
  });

  test("takes up to 31 spaces, line feeds or tabs as one token", () => {
    expect(encode(`${" ".repeat(31)}x`)).toEqual([167, 236781]);
    // The 32nd belongs to the word: ▁foo is a piece.
    expect(encode(`${" ".repeat(32)}foo`)).toEqual([167, ...encode(" foo")]);
    expect(encode("\n".repeat(70))).toEqual([137, 137, 114]);
    expect(encode("\t".repeat(3))).toEqual([255970]);
  });

  test("merges across a space where a piece does: `>▁</`", () => {
    expect(gemma.decode(encode("> </"))).toBe("> </");
    expect(encode("> </")).toHaveLength(1);
    expect(encode(">  </")).toHaveLength(3);
  });

  test("finds control tokens in a text", () => {
    expect(encode("x<bos>y<eos")).toEqual([236781, 2, 236762, ...encode("<eos")]);
    expect(encode("<<mask>>")).toEqual([236820, 4, 236813]);
  });

  test("does not take the spelling of a byte token for the byte", () => {
    expect(gemma.decode(encode("<0x41>"))).toBe("<0x41>");
    expect(encode("<0x41>")).toHaveLength(6);
  });

  test("reads lone surrogates as U+FFFD, as TextEncoder does", () => {
    for (const text of ["\ud800", "a\udc00b", "\udc00\ud800", "\ud83d"]) {
      expect(encode(text)).toEqual(encode(text.toWellFormed()));
    }
    expect(encode("\ud800")).toEqual(encode("\ufffd"));
  });
});
