import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import { byteLevelParts } from "../../src/tokenizer/byte-level.ts";
import { ByteLevelEncoder } from "../../src/tokenizer/byte-level-encoder.ts";
import { type Encoder, encodeAtOnce, STEP_WORK } from "../../src/tokenizer/encoder.ts";
import type { PairMerger } from "../../src/tokenizer/pair-merger.ts";
import { PieceTable } from "../../src/tokenizer/piece-table.ts";
import { sentencePieceParts } from "../../src/tokenizer/sentencepiece.ts";
import { SentencePieceEncoder } from "../../src/tokenizer/sentencepiece-encoder.ts";
import { readSentencePiece } from "../../src/tokenizer/sentencepiece-model.ts";
import { WINDOW_UNITS } from "../../src/tokenizer/text-scanner.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { wordPieceParts } from "../../src/tokenizer/wordpiece.ts";
import { WordPieceEncoder } from "../../src/tokenizer/wordpiece-encoder.ts";
import { BYTES, llama } from "./small.ts";
import { hardText, scoredPieces } from "./texts.ts";
import {
  byteLevelMetadata,
  gemmaMetadata,
  goldenLines,
  minilmMetadata,
  minilmPieces,
  scoredMetadata,
  tokenizerOf,
} from "./vocabularies.ts";

/** Reading Gemma's vocabulary from JSON may take a slow machine some seconds. */
const SLOW_MS = 60_000;
const RUNS = { numRuns: 1000 };
/** A window for the whole of any text. */
const WHOLE = 2 ** 30;

/** A tokenizer, and encoders of its kind whose windows have a length of our choice. */
interface Subject {
  readonly tokenizer: Tokenizer;
  readonly encoder: (windowUnits?: number) => Encoder;
}
const subjects = new Map<string, Subject>();
const names = ["SentencePiece", "WordPiece", "byte-level BPE"] as const;
const subjectOf = (name: (typeof names)[number]) => subjects.get(name)!;

beforeAll(async () => {
  const metadata = {
    gemma: await gemmaMetadata(),
    minilm: minilmMetadata(),
    bytes: byteLevelMetadata(),
  };
  const scored = sentencePieceParts(readSentencePiece(metadata.gemma));
  const words = wordPieceParts(metadata.minilm);
  const ranked = byteLevelParts(metadata.bytes);
  subjects.set("SentencePiece", {
    tokenizer: tokenizerOf(metadata.gemma),
    encoder: (windowUnits) => new SentencePieceEncoder(scored, windowUnits),
  });
  subjects.set("WordPiece", {
    tokenizer: tokenizerOf(metadata.minilm),
    encoder: (windowUnits) => new WordPieceEncoder(words, windowUnits),
  });
  subjects.set("byte-level BPE", {
    tokenizer: tokenizerOf(metadata.bytes),
    encoder: (windowUnits) => new ByteLevelEncoder(ranked, windowUnits),
  });
}, SLOW_MS);

function drain<T>(generator: Generator<undefined, T, undefined>): { value: T; pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const next = generator.next();
    if (next.done) return { value: next.value, pauses };
  }
}

/** The ids of a text that is paused whenever some work was done, as little as `work`. */
function encodeWithPauses(encoder: Encoder, text: string, work: number): Int32Array {
  encoder.begin(text);
  do encoder.work.left = work;
  while (!encoder.advance());
  const ids = encoder.ids.take();
  encoder.reset();
  return ids;
}

const hard = hardText(minilmPieces().map((piece) => piece.replace("##", "")));
const window = fc.oneof(fc.nat(64), fc.constant(WINDOW_UNITS));
const work = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 4096 }));
const runs = fc.constantFrom(
  "a",
  "ab",
  "ha ",
  "▁",
  "▁▁ ",
  " ▁",
  "😀",
  "<bos>",
  " ",
  "\n",
  "\u302e",
  "e\u0316\u0301",
  "<|endoftext|>",
  "'ll",
  "\n \t",
);
const long = fc
  .array(fc.tuple(fc.oneof(hard, runs), fc.nat(200)), { maxLength: 6 })
  .map((parts) => parts.map(([part, count]) => part.repeat(part.length > 5 ? 1 : count)).join(""));

describe.each(names)("%s in steps", (name) => {
  test("gives the ids of all golden texts, one by one and as one text", () => {
    const { tokenizer, encoder } = subjectOf(name);
    const file = name === "WordPiece" ? "minilm-tokens.jsonl" : "gemma3-tokens.jsonl";
    const texts = goldenLines(file).map(({ text }) => text);
    const joined = texts.join("\n\n").repeat(8);
    for (const text of [...texts, joined]) {
      expect(drain(tokenizer.encodeInSteps(text)).value).toEqual(tokenizer.encode(text));
    }
    expect(drain(tokenizer.encodeInSteps(joined)).pauses).toBeGreaterThan(4);
    expect(tokenizer.encode(joined)).toEqual(encodeAtOnce(encoder(WHOLE), joined));
  });

  test("gives the same ids wherever windows end and pauses fall", () => {
    const { encoder } = subjectOf(name);
    const whole = encoder(WHOLE);
    const check = (text: string, windowUnits: number, left: number) => {
      const found = encodeWithPauses(encoder(windowUnits), text, left);
      expect(found).toEqual(encodeAtOnce(whole, text));
    };
    fc.assert(fc.property(fc.oneof(hard, long), window, work, check), RUNS);
  });

  test(
    "keeps texts apart that are on their way at the same time, or were given up",
    () => {
      const { tokenizer, encoder } = subjectOf(name);
      const check = (made: readonly string[], order: readonly number[]) => {
        const texts = made.map((text) => text.repeat(Math.ceil(60_000 / (text.length + 1))));
        const expected = texts.map((text) => tokenizer.encode(text));
        const alone = made.map((text) => encodeAtOnce(encoder(), text));
        const given = texts.map((text) => tokenizer.encodeInSteps(text));
        const found = new Map<number, Int32Array>();
        // By chance; then all but the first, which is given up, to their end.
        for (const pick of order) advance(pick % texts.length);
        for (let i = 1; i < texts.length; i++) while (!found.has(i)) advance(i);
        for (const [i, ids] of found) expect(ids).toEqual(expected[i]!);

        function advance(i: number): void {
          const next = given[i]!.next();
          if (next.done && next.value !== undefined) found.set(i, next.value);
          // Others may use the tokenizer between any two steps.
          expect(tokenizer.encode(made[i]!)).toEqual(alone[i]!);
        }
      };
      const texts = fc.array(fc.oneof(long, hard), { minLength: 2, maxLength: 4 });
      fc.assert(fc.property(texts, fc.array(fc.nat(3), { maxLength: 12 }), check), { numRuns: 12 });
    },
    SLOW_MS,
  );
});

test("merges that compete and tie, and unknown characters, are the same in any steps", () => {
  const check = (
    made: { pieces: readonly string[]; scores: readonly number[]; texts: readonly string[] },
    windowUnits: number,
    left: number,
  ) => {
    const parts = sentencePieceParts(readSentencePiece(scoredMetadata(made)));
    const text = made.texts.join(" ").repeat(10);
    const found = encodeWithPauses(new SentencePieceEncoder(parts, windowUnits), text, left);
    expect(found).toEqual(encodeAtOnce(new SentencePieceEncoder(parts, WHOLE), text));
  };
  fc.assert(fc.property(fc.noBias(scoredPieces(10)), window, work, check), { numRuns: 100 });
});

test("a pair of surrogates on the edge of two windows stays whole without any added token", () => {
  const parts = sentencePieceParts(readSentencePiece(llama([["a"], ...BYTES])));
  for (const lead of ["", "a", "aa"]) {
    const text = lead + "😀".repeat(100);
    const found = encodeAtOnce(new SentencePieceEncoder(parts, 1), text);
    expect(found).toEqual(encodeAtOnce(new SentencePieceEncoder(parts, WHOLE), text));
  }
});

function mergerOf(encoder: Encoder): PairMerger {
  const isMerging = encoder instanceof SentencePieceEncoder || encoder instanceof ByteLevelEncoder;
  if (!isMerging) throw new Error("an encoder that does not merge");
  return encoder.merger;
}

describe("a step does a bounded amount of work, counted in look-ups and comparisons, in", () => {
  let find: ReturnType<typeof spyOn<PieceTable, "find">>;
  beforeAll(() => {
    find = spyOn(PieceTable.prototype, "find");
  });
  afterAll(() => {
    find.mockRestore();
  });

  /** The worst of all steps. */
  function worst({ encoder }: Subject, text: string) {
    const one = encoder();
    const queue = one instanceof WordPieceEncoder ? { comparisons: 0 } : mergerOf(one).queue;
    const found = { lookups: 0, comparisons: 0, ids: 0, steps: 0 };
    one.begin(text);
    for (let isDone = false; !isDone; found.steps++) {
      find.mockClear();
      const before = queue.comparisons;
      one.work.left = STEP_WORK;
      isDone = one.advance();
      found.lookups = Math.max(found.lookups, find.mock.calls.length);
      found.comparisons = Math.max(found.comparisons, queue.comparisons - before);
      found.ids = Math.max(found.ids, one.ids.length);
      one.ids.reset();
    }
    return found;
  }

  const TEXTS: Readonly<Record<string, string>> = {
    "one word of one letter": "a",
    "one word of many": "tokenization",
    "one word of unknown letters": "qzxv",
    "words as long as BERT takes them": `${"qzxvj".repeat(19)} `,
    Chinese: "你好世界",
    "characters of four bytes": "😀",
    "characters that are four tokens each": "𝔘",
    spaces: " ",
    "▁": "▁",
    "line feeds": "\n",
    "added tokens": "<bos>[SEP]",
    "almost added tokens": "<unused",
    "marks in the wrong order": "\u0301\u0316",
    "letters and marks apart": "e\u0316\u0301",
  };
  const LENGTH = 2 ** 17;

  for (const [title, unit] of Object.entries(TEXTS)) {
    test.each(names)(`${title}: %s`, (name) => {
      const text = unit.repeat(LENGTH / unit.length);
      const found = worst(subjectOf(name), text);
      // A step is at most its own work and that of one window more.
      const look = STEP_WORK / 8 + (name === "WordPiece" ? 50 : 4) * WINDOW_UNITS;
      expect(found.lookups).toBeLessThan(look);
      expect(found.comparisons).toBeLessThan(2 * STEP_WORK);
      expect(found.ids).toBeLessThan(2 * STEP_WORK);
      expect(found.steps).toBeGreaterThan(1);
    });
  }
});
