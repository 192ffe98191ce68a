import { beforeAll, describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import { type Chunk, type ChunkOptions, chunkInSteps, chunkText } from "../../src/chunk/index.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { hardText } from "../tokenizer/texts.ts";
import {
  gemmaMetadata,
  minilmMetadata,
  minilmPieces,
  tokenizerOf,
} from "../tokenizer/vocabularies.ts";

/** Reading Gemma's vocabulary from JSON may take a slow machine some seconds. */
const SLOW_MS = 60_000;
const CONTEXT = 512;
const PROMPT = "title: none | text: ";

const tokenizers = new Map<string, Tokenizer>();
const names = ["SentencePiece", "WordPiece"];
beforeAll(async () => {
  tokenizers.set("SentencePiece", tokenizerOf(await gemmaMetadata()));
  tokenizers.set("WordPiece", tokenizerOf(minilmMetadata()));
}, SLOW_MS);

function cut(name: string, text: string, options: ChunkOptions = {}): Chunk[] {
  const steps = chunkInSteps(tokenizers.get(name)!, CONTEXT, text, options);
  return [...steps].filter((chunk) => chunk !== undefined);
}

function countAll(name: string, text: string): number {
  const { prefix, suffix, encode } = bound(tokenizers.get(name)!);
  return prefix.length + encode(text).length + suffix.length;
}

function bound(tokenizer: Tokenizer) {
  const { prefix, suffix } = tokenizer;
  return { prefix, suffix, encode: (text: string) => tokenizer.encode(text) };
}

const PARTS = [
  ..."# Title|\n\n|\n|## Part\n|Some words of a sentence. |Another one! And a third? ".split("|"),
  ..."```ts\n# no heading\n\nconst a = 1;\n```\n|- item\n|人工智能是计算机科学的一个分支。|これは日本語の文です。|".split(
    "|",
  ),
  ..."สวัสดีชาวโลกภาษาไทยไม่มีช่องว่าง|👨‍👩‍👧‍👦|🇩🇪🇫🇷|e\u0301\u0323|नमस्ते|각|\r\n".split("|"),
  ...["\u2028", " \u0301", "\u0600 1", "<bos>", "▁", "e.g. this, "],
];
const part = fc
  .tuple(fc.constantFrom(...PARTS), fc.integer({ min: 1, max: 12 }))
  .map(([text, count]) => text.repeat(count));
const hard = hardText(minilmPieces().map((piece) => piece.replace("##", "")));
const documents = fc
  .array(fc.oneof({ arbitrary: part, weight: 3 }, { arbitrary: hard, weight: 1 }), {
    maxLength: 16,
  })
  .map((parts) => parts.join(""));
const limits = fc.record({
  maxTokens: fc.oneof(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 60, max: CONTEXT })),
  share: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.45, noNaN: true })),
  prompt: fc.constantFrom("", PROMPT),
});

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Offsets inside of a grapheme, with something to see on both sides. */
function insides(text: string): Set<number> {
  const found = new Set<number>();
  for (const { index, segment } of GRAPHEMES.segment(text)) {
    for (let i = 1; i < segment.length; i++) {
      const isSeen = segment.slice(0, i).trim() !== "" && segment.slice(i).trim() !== "";
      if (isSeen) found.add(index + i);
    }
  }
  return found;
}

describe.each(names)("chunks of any document, by %s,", (name) => {
  test("are slices within the limit, in order, and leave nothing out but white space", () => {
    const check = (text: string, { maxTokens, share, prompt }: typeof made) => {
      const room = maxTokens - countAll(name, prompt);
      fc.pre(room >= 8);
      const overlap = Math.floor((room * share) / 1.001);
      const chunks = cut(name, text, { maxTokens, overlap, prompt });
      const inside = insides(text);
      let reached = 0;
      let lastStart = -1;
      chunks.forEach((chunk, index) => {
        expect(chunk.index).toBe(index);
        expect(chunk.text).toBe(text.slice(chunk.start, chunk.end));
        expect(chunk.text).toBe(chunk.text.trim());
        expect(chunk.text).not.toBe("");
        expect(chunk.tokens).toBe(countAll(name, prompt + chunk.text));
        expect(chunk.tokens).toBeLessThanOrEqual(maxTokens);
        // Onwards: nothing is left out, and something is new.
        expect(text.slice(reached, chunk.start).trim()).toBe("");
        expect(chunk.start).toBeGreaterThan(lastStart);
        expect(chunk.end).toBeGreaterThan(reached);
        if (overlap === 0) expect(chunk.start).toBeGreaterThanOrEqual(reached);
        // A grapheme is cut only if it has no room as a whole.
        for (const at of [chunk.start, chunk.end]) {
          if (!inside.has(at)) continue;
          const whole = GRAPHEMES.segment(text).containing(at)!.segment.trim();
          const tokens = [prompt + whole, whole].map((each) => countAll(name, each));
          expect(
            Math.max(tokens[0]!, tokens[1]! + countAll(name, prompt) - countAll(name, "")),
          ).toBeGreaterThan(maxTokens);
        }
        reached = chunk.end;
        lastStart = chunk.start;
      });
      expect(text.slice(reached).trim()).toBe("");
    };
    const made = { maxTokens: 0, share: 0, prompt: "" };
    // Jamo where words end by the rules for words, and not by those for graphemes.
    const few = { maxTokens: 20, share: 0, prompt: PROMPT };
    const examples = [2, 3, 4, 5].map((count): [string, typeof made] => [
      `e<bos>\u1100${"\uac01".repeat(count)}`,
      few,
    ]);
    fc.assert(fc.property(documents, limits, check), { numRuns: 400, examples });
  });

  test("are none of an empty document or of white space", () => {
    for (const text of ["", " ", "\n\n\t \u3000\u00a0\r\n", " ".repeat(20_000)]) {
      expect(cut(name, text)).toEqual([]);
    }
  });

  test("are one where the document has room", () => {
    const text = "# A title\n\nA paragraph.\n\nAnother one.";
    const [chunk, ...others] = cut(name, `\n ${text}\n`);
    expect(others).toEqual([]);
    expect(chunk).toMatchObject({ text, start: 2, end: 2 + text.length, index: 0 });
  });
});

describe("a chunk ends", () => {
  const sentence = "The quick brown fox jumps over the lazy dog.";
  const starts = (text: string, options: ChunkOptions) =>
    cut("SentencePiece", text, options).map(({ text }) => text.slice(0, 9));

  test("before a heading, rather than before a paragraph", () => {
    const text = `# One\n\n${sentence}\n\n${sentence}\n\n## Two\n\n${sentence}\n\nEnd of it.`;
    expect(starts(text, { maxTokens: 40 })).toEqual(["# One\n\nTh", "## Two\n\nT"]);
  });

  test("before a paragraph, rather than before a line", () => {
    const text = `${sentence}\n${sentence}\n\nNew words\n${sentence}\n${sentence}`;
    expect(starts(text, { maxTokens: 40 })).toEqual(["The quick", "New words"]);
  });

  test("before a line, not a paragraph or a heading, inside of code", () => {
    const code = "```sh\none two three four\nfive six seven eight\n\n# remark\nten\n```";
    const text = `${code}\n\nA paragraph behind it.`;
    expect(starts(text, { maxTokens: 25 })).toEqual(["```sh\none", "A paragra"]);
  });

  test("before a sentence, in Chinese and Japanese too", () => {
    const found = cut("SentencePiece", "你好世界，今天天气很好。".repeat(20), { maxTokens: 40 });
    for (const { text } of found) expect(text.endsWith("。")).toBeTrue();
    const english = cut("SentencePiece", `${sentence} `.repeat(20), { maxTokens: 40 });
    for (const { text } of english) expect(text.endsWith("dog.")).toBeTrue();
  });

  test("before a word where a sentence is too long, in Thai too", () => {
    const words = cut("SentencePiece", "some words without an end ".repeat(40), { maxTokens: 40 });
    for (const { text } of words) expect(text).toMatch(/^(some|words|without|an|end)\b/);
    expect(words.length).toBeLessThan(8);
    const thai = "ภาษาไทย";
    const starts = new Set(
      cut("SentencePiece", thai.repeat(60), { maxTokens: 40 }).map(
        ({ start }) => start % thai.length,
      ),
    );
    // ภาษา and ไทย are words.
    for (const start of starts) expect([0, 4]).toContain(start);
  });
});

describe("an overlap", () => {
  test("begins at a sentence, and is no longer than asked for", () => {
    const text = Array.from(
      { length: 60 },
      (_, i) => `This is sentence ${i} of a text that goes on.`,
    ).join(" ");
    const chunks = cut("SentencePiece", text, { maxTokens: 100, overlap: 20 });
    expect(chunks.length).toBeGreaterThan(4);
    chunks.slice(1).forEach(({ start }, i) => {
      const repeated = text.slice(start, chunks[i]!.end);
      expect(repeated).toStartWith("This is sentence");
      expect(tokenizers.get("SentencePiece")!.encode(repeated).length).toBeWithin(10, 21);
    });
  });

  test("begins at a word where sentences are long", () => {
    const text = "some words that never come to an end ".repeat(60);
    const chunks = cut("WordPiece", text, { maxTokens: 80, overlap: 20 });
    chunks.slice(1).forEach(({ start }, i) => {
      const repeated = text.slice(start, chunks[i]!.end);
      expect(repeated.split(" ").length).toBeWithin(16, 21);
      expect(text[start - 1]).toBe(" ");
    });
  });
});

describe("work on a document", () => {
  const UNITS: Readonly<Record<string, string>> = {
    prose: "Some words of a sentence. Another one, longer than the first!\n\n",
    "one line of sentences": "Some words of a sentence. Another one, longer than the first! ",
    "one word": "abcdefghij",
    "white space between words": `word${" ".repeat(5000)}`,
    "one grapheme": "\u0301",
  };
  for (const [title, unit] of Object.entries(UNITS)) {
    test.each(names)(`grows in proportion to it: ${title}, %s`, (name) => {
      const work = (length: number) => {
        const tokenizer = tokenizers.get(name)!;
        const encode = spyOn(tokenizer, "encode");
        const steps = spyOn(tokenizer, "encodeInSteps");
        cut(name, unit.repeat(length / unit.length), { overlap: 50 });
        const units = [...encode.mock.calls, ...steps.mock.calls].map(([text]) => text.length);
        encode.mockRestore();
        steps.mockRestore();
        return units.reduce((sum, length) => sum + length, 0) / length;
      };
      const [some, more] = [work(2 ** 15), work(2 ** 18)];
      expect(more).toBeLessThan(8);
      expect(more).toBeLessThan(1.3 * some);
    });
  }

  test("lets others have their turn", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const text = "Some words of a sentence. Another one, longer than the first!\n".repeat(20_000);
    const chunks: Chunk[] = [];
    for await (const chunk of chunkText(tokenizers.get("WordPiece")!, CONTEXT, text)) {
      chunks.push(chunk);
    }
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
    expect(chunks).toEqual(cut("WordPiece", text));
  });

  test("ends with the reason of a signal", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const text = "Some words of a sentence.\n".repeat(20_000);
    const { signal } = controller;
    const chunks = chunkText(tokenizers.get("WordPiece")!, CONTEXT, text, { signal });
    await chunks.next();
    controller.abort(reason);
    const drain = async () => {
      for await (const { text } of chunks) expect(text).not.toBe("");
    };
    expect(drain()).rejects.toBe(reason);
  });
});

test("options out of range are INVALID_ARGUMENT", () => {
  const bad: ChunkOptions[] = [
    { maxTokens: CONTEXT + 1 },
    { maxTokens: 9 },
    { maxTokens: 20.5 },
    { maxTokens: 40, prompt: "word ".repeat(40) },
    { maxTokens: 102, overlap: 50 },
    { overlap: -1 },
    { overlap: Number.NaN },
  ];
  for (const options of bad) {
    expect(() => cut("WordPiece", "text", options)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  }
  expect(cut("WordPiece", "text", { maxTokens: 102, overlap: 49 })).toHaveLength(1);
});
