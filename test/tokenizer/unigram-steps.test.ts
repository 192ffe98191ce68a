import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import * as value from "../../src/gguf/values.ts";
import { encodeAtOnce, STEP_WORK } from "../../src/tokenizer/encoder.ts";
import { PieceTable } from "../../src/tokenizer/piece-table.ts";
import { WINDOW_UNITS } from "../../src/tokenizer/text-scanner.ts";
import { unigramParts } from "../../src/tokenizer/unigram.ts";
import { UnigramEncoder } from "../../src/tokenizer/unigram-encoder.ts";
import { KEY, TOKEN_TYPE } from "../../src/tokenizer/vocabulary.ts";
import { charsmap } from "./charsmap.ts";
import { llama, type Piece } from "./small.ts";
import { TROUBLE } from "./texts.ts";

const WHOLE = 2 ** 30;
const RULES = { "①": "1", "e\u0301": "c", ﷺ: "a b b a", "\u200b": "", "\u3000": " ", "▁": " " };
const words = "▁ a b c 1 ab bc abc ▁a ▁ab aaaaaaaaaaaa 好 你好 世界 😀 😀😀 tion token".split(" ");
const PIECES: readonly Piece[] = [
  ["<unk>", TOKEN_TYPE.UNKNOWN],
  ["</s>", TOKEN_TYPE.CONTROL],
  ...words.map((word, i): Piece => [word, TOKEN_TYPE.NORMAL, -3 - ((i * 7) % 5)]),
];
const parts = unigramParts(
  llama(PIECES, {
    [KEY.MODEL]: value.string("t5"),
    [KEY.EOS]: value.uint32(1),
    [KEY.ADD_SPACE_PREFIX]: value.bool(true),
    [KEY.REMOVE_EXTRA_SPACES]: value.bool(true),
    [KEY.CHARSMAP]: value.numbers("uint8", [...charsmap(RULES)]),
  }),
);

const unit = fc.oneof(
  fc.constantFrom(...Object.keys(RULES), ...words, " ", "\u0301", "</s>", "\n"),
  fc.constantFrom(...TROUBLE),
);
const text = fc
  .array(fc.tuple(unit, fc.constantFrom(1, 1, 1, 2, 40, 900)), { maxLength: 40 })
  .map((made) => made.map(([one, count]) => one.repeat(count)).join(""));

test("the same ids wherever windows end and pauses fall", () => {
  const check = (made: string, windowUnits: number, work: number) => {
    const encoder = new UnigramEncoder(parts, windowUnits);
    encoder.begin(made);
    do encoder.work.left = work;
    while (!encoder.advance());
    const found = encoder.ids.take();
    expect(found).toEqual(encodeAtOnce(new UnigramEncoder(parts, WHOLE), made));
    // What is left of one text is nothing to the next.
    encoder.reset();
    expect(encodeAtOnce(encoder, "ab")).toEqual(encodeAtOnce(new UnigramEncoder(parts), "ab"));
  };
  const window = fc.oneof(fc.nat(64), fc.constant(WINDOW_UNITS));
  const work = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 4096 }));
  fc.assert(fc.property(text, window, work, check), { numRuns: 500 });
});

test("a text given up in any of its steps leaves nothing to the next", () => {
  const expected = encodeAtOnce(new UnigramEncoder(parts), "ab c");
  const encoder = new UnigramEncoder(parts);
  const long = "abc".repeat(30_000);
  for (let isDone = false, steps = 1; !isDone; steps++) {
    encoder.begin(long);
    for (let step = 0; step < steps; step++) {
      encoder.work.left = STEP_WORK;
      isDone = encoder.advance();
    }
    encoder.reset();
    expect(encodeAtOnce(encoder, "ab c")).toEqual(expected);
  }
});

describe("a step does a bounded amount of work, counted in look-ups, in", () => {
  let find: ReturnType<typeof spyOn<PieceTable, "find">>;
  beforeAll(() => {
    find = spyOn(PieceTable.prototype, "find");
  });
  afterAll(() => {
    find.mockRestore();
  });

  const TEXTS = [
    "a",
    "abc",
    "token",
    "q",
    "你好世界",
    "😀",
    "e\u0301",
    "ﷺ",
    " ",
    "▁",
    "</s>",
    "ab ",
  ];
  test.each(TEXTS)("%j", (one) => {
    const made = one.repeat(2 ** 17 / one.length);
    const encoder = new UnigramEncoder(parts);
    const all = find.mock.calls.length;
    let worst = 0;
    let steps = 0;
    encoder.begin(made);
    for (let isDone = false; !isDone; steps++) {
      const before = find.mock.calls.length;
      encoder.work.left = STEP_WORK;
      isDone = encoder.advance();
      worst = Math.max(worst, find.mock.calls.length - before);
      expect(encoder.ids.length).toBeLessThan(2 * STEP_WORK);
      encoder.ids.reset();
    }
    expect(worst).toBeLessThan(STEP_WORK / 8 + 4 * WINDOW_UNITS);
    expect(steps).toBeGreaterThan(1);
    // Nor is the whole more than a bounded number for each character.
    expect(find.mock.calls.length - all).toBeLessThan(8 * made.length);
    find.mockClear();
  });
});
