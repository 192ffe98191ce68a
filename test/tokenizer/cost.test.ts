import { afterEach, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { byteLevelParts } from "../../src/tokenizer/byte-level.ts";
import { ByteLevelEncoder } from "../../src/tokenizer/byte-level-encoder.ts";
import { encodeAtOnce } from "../../src/tokenizer/encoder.ts";
import { PieceTable } from "../../src/tokenizer/piece-table.ts";
import { sentencePieceParts } from "../../src/tokenizer/sentencepiece.ts";
import { SentencePieceEncoder } from "../../src/tokenizer/sentencepiece-encoder.ts";
import { readSentencePiece } from "../../src/tokenizer/sentencepiece-model.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { byteLevelMetadata, gemmaMetadata, minilmMetadata, tokenizerOf } from "./vocabularies.ts";

/*
 * No text makes a tokenizer slow. Counted, not timed: look-ups in the vocabulary and comparisons of
 * pairs, for texts that have tempted tokenizers into quadratic work.
 */

/** Reading Gemma's vocabulary from JSON may take a slow machine some seconds. */
const SLOW_MS = 60_000;
const LENGTH = 2 ** 16;

const TEXTS: Readonly<Record<string, string>> = {
  "one letter": "a",
  "a pair": "ab",
  "a word without spaces": "tokenization",
  "an unknown word": "qzxv",
  Chinese: "你好世界",
  "a character of four bytes": "😀",
  "a combining mark": "\u0301",
  "a kept mark": "\u302e\u{1d165}",
  spaces: " ",
  "▁": "▁",
  "line feeds": "\n",
  "the beginning of a token": "<",
  "almost a token": "<unused",
  "marks in the wrong order": "\u0301\u0316",
};

const find = spyOn(PieceTable.prototype, "find");
afterEach(() => {
  find.mockClear();
});

let gemma: SentencePieceEncoder;
let minilm: Tokenizer;
let byteLevel: ByteLevelEncoder;
beforeAll(async () => {
  const parts = sentencePieceParts(readSentencePiece(await gemmaMetadata()));
  gemma = new SentencePieceEncoder(parts);
  minilm = tokenizerOf(minilmMetadata());
  byteLevel = new ByteLevelEncoder(byteLevelParts(byteLevelMetadata()));
}, SLOW_MS);

describe("a long text of nothing but", () => {
  for (const [name, unit] of Object.entries(TEXTS)) {
    const text = unit.repeat(LENGTH / unit.length);
    const count = [...text].length;

    test(`${name}: SentencePiece takes n log n steps`, () => {
      const before = gemma.merger.queue.comparisons;
      expect(encodeAtOnce(gemma, text).length).toBeGreaterThan(0);
      // A pair for each neighbour, two more for each merge, and one look at each character left.
      expect(find.mock.calls.length).toBeLessThanOrEqual(4 * count);
      const comparisons = gemma.merger.queue.comparisons - before;
      expect(comparisons).toBeLessThanOrEqual(6 * count * Math.log2(count));
    });

    test(`${name}: byte-level BPE takes n log n steps`, () => {
      const bytes = Buffer.byteLength(text);
      const before = byteLevel.merger.queue.comparisons;
      expect(encodeAtOnce(byteLevel, text).length).toBeGreaterThan(0);
      // As above; and a second look at pairs that are pieces.
      expect(find.mock.calls.length).toBeLessThanOrEqual(8 * bytes);
      const comparisons = byteLevel.merger.queue.comparisons - before;
      expect(comparisons).toBeLessThanOrEqual(6 * bytes * Math.log2(bytes));
    });

    test(`${name}: WordPiece takes a bounded number of steps a character`, () => {
      minilm.encode(text);
      // Words are at most 100 long, and each look-up after the first ends one character earlier.
      expect(find.mock.calls.length).toBeLessThanOrEqual(50 * count);
    });
  }
});
