import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BertNormalizer } from "../../src/tokenizer/bert-normalizer.ts";
import { characterOf } from "../../src/tokenizer/byte-characters.ts";
import { normalized } from "./normalized.ts";
import type { NormalizerRules, RankedPieces, ScoredPieces } from "./texts.ts";
import { rankedMetadata, scoredMetadata, tokenizerOf, unigramMetadata } from "./vocabularies.ts";
import { bertWords, byteWords } from "./words.ts";

/*
 * What real vocabularies hide, by Hugging Face `tokenizers` (see test/fixtures/README.md): the
 * order of tied merges and of tied paths, BERT's words before most hard ones become [UNK], merges
 * of byte-level BPE in several ways, and what rules do to graphemes that no rule of NFKC is for.
 */

function readLines<Line>(name: string): Line[] {
  const text = readFileSync(join(import.meta.dir, "../fixtures", name), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("merges with tied scores and without byte tokens", () => {
  const cases = readLines<ScoredPieces & { ids: number[][] }>("bpe-merges.jsonl");
  const found = cases.map((made) => {
    const tokenizer = tokenizerOf(scoredMetadata(made));
    return made.texts.map((text) => [...tokenizer.encode(text)]);
  });
  expect(found).toEqual(cases.map(({ ids }) => ids));
  expect(cases.length).toBe(20);
});

test("BERT's words", () => {
  const lines = readLines<{ text: string; words: (string | number)[] }>("bert-words.jsonl");
  const normalizer = new BertNormalizer({ lowercase: true, stripAccents: true });
  const found = lines.map(({ text }) => ({ text, words: bertWords(text, normalizer) }));
  expect(found).toEqual(lines);
  expect(lines.length).toBe(240);
});

test("words of byte-level BPE, of each pattern, normalised or not", () => {
  const lines = readLines<{ pre: string; text: string; words: string[] }>("byte-level-words.jsonl");
  const found = lines.map(({ pre, text }) => ({ pre, text, words: byteWords(text, pre) }));
  expect(found).toEqual(lines);
  expect(lines.length).toBe(240);
});

test("merges by rank, and words that are pieces whatever merges give", () => {
  const cases = readLines<RankedPieces & { ids: number[][] }>("byte-level-merges.jsonl");
  const bytes = Array.from({ length: 256 }, (_, byte) => characterOf(byte));
  const found = cases.map((made) => {
    const metadata = rankedMetadata({ ...made, pieces: [...bytes, ...made.pieces] });
    const tokenizer = tokenizerOf(metadata);
    return made.texts.map((text) => [...tokenizer.encode(text)]);
  });
  expect(found).toEqual(cases.map(({ ids }) => ids));
  expect(cases.length).toBe(20);
});

test("Unigram's paths with tied scores and unknown characters", () => {
  const cases = readLines<ScoredPieces & { ids: number[][] }>("unigram-paths.jsonl");
  const found = cases.map((made) => {
    const tokenizer = tokenizerOf(unigramMetadata(made));
    return made.texts.map((text) => [...tokenizer.encode(text)]);
  });
  expect(found).toEqual(cases.map(({ ids }) => ids));
  expect(cases.length).toBe(20);
});

test("texts normalised by made-up rules, whole and a character at a time", () => {
  const cases = readLines<NormalizerRules & { normalized: string[] }>("charsmaps.jsonl");
  for (const { rules, texts, normalized: expected } of cases) {
    expect(texts.map((text) => normalized(rules, text))).toEqual(expected);
    expect(texts.map((text) => normalized(rules, text, 1))).toEqual(expected);
  }
  expect(cases.length).toBe(24);
});
