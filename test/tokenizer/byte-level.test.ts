import { describe, expect, test } from "bun:test";
import { readGguf } from "../../src/gguf/reader.ts";
import * as value from "../../src/gguf/values.ts";
import { KEY } from "../../src/tokenizer/vocabulary.ts";
import { thrown } from "../gguf/rejection.ts";
import { hasShared, readTokens, sharedNote, sharedPath } from "../reference/golden.ts";
import { allIds, byteLevelMetadata, tokenizerOf } from "./vocabularies.ts";
import { byteWords } from "./words.ts";

const VOCABULARIES = [
  ["vocab/ggml-vocab-gpt-2", "tokens-gpt2", 400],
  ["vocab/ggml-vocab-llama-bpe", "tokens-llama3", 400],
  ["vocab/ggml-vocab-qwen2", "tokens-qwen2", 400],
  ["arch/qwen3-embed", "qwen3-embed", 8],
  ["arch/modernbert-mean", "modernbert-mean", 8],
] as const;

describe("equal to Hugging Face:", () => {
  for (const [file, golden, count] of VOCABULARIES) {
    test.skipIf(!hasShared)(`all lines of ${golden}, there and back${sharedNote}`, async () => {
      const { metadata } = await readGguf(sharedPath(`models/${file}.gguf`));
      const tokenizer = tokenizerOf(metadata);
      const isNfc = !["gpt-2", "llama-bpe"].includes(metadata.requireString(KEY.PRE));
      const lines = readTokens(golden);
      for (const { text, ids } of lines) {
        expect({ text, ids: allIds(tokenizer, text) }).toEqual({ text, ids: [...ids] });
        const whole = isNfc ? text.normalize("NFC") : text;
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(whole.toWellFormed());
      }
      expect(lines.length).toBe(count);
    });
  }
});

describe("a small vocabulary", () => {
  const tokenizer = tokenizerOf(byteLevelMetadata());
  const pieces = (text: string) =>
    Array.from(tokenizer.encode(text), (id) => tokenizer.decode([id]));
  const end = tokenizer.vocabSize - 3;

  test("merges within words alone", () => {
    expect(pieces("the the\ntokening")).toEqual(["the", " the", "\n", "token", "ing"]);
    expect(pieces("thethe")).toEqual(["the", "the"]);
    expect(pieces("12")).toEqual(["1", "2"]);
    expect(pieces("it's")).toEqual(["i", "t", "'s"]);
  });

  test("finds added tokens before all else, ▁ and spaces of theirs as they are", () => {
    expect([...tokenizer.encode("<|endoftext|>\u0338<▁ tool>")]).toEqual([
      end,
      ...tokenizer.encode("\u0338"),
      end + 1,
    ]);
    // The é of an added token is no byte.
    expect(tokenizer.decode([end, end + 1, end + 2])).toBe("<▁ tool><é>");
    expect(pieces("<  tool>")).toEqual(["<", " ", " t", "o", "o", "l", ">"]);
  });

  test("knows contractions in capitals where the pattern is caseless, with ſ for s", () => {
    expect(byteWords("it'Sa'ſa'reb'Re'x", "qwen2")).toEqual([
      ...["it", "'S", "a", "'Å¿", "a", "'re", "b", "'Re", "'x"],
    ]);
    expect(byteWords("it'Sa'sa'rb", "gpt-2")).toEqual(["it", "'", "Sa", "'s", "a", "'", "rb"]);
  });

  test("brings text to NFC where the model does", () => {
    expect(tokenizer.encode("e\u0301")).toEqual(tokenizer.encode("é"));
    expect(tokenizer.encode("é")).toHaveLength(1);
    const plain = tokenizerOf(byteLevelMetadata("gpt-2"));
    expect(plain.encode("e\u0301")).toHaveLength(3);
    expect(plain.decode(plain.encode("e\u0301"))).toBe("e\u0301");
  });

  test("sorts a long run of marks, and puts none of them elsewhere", () => {
    const [below, above] = ["\u0316".repeat(3000), "\u0301".repeat(3000)];
    const mixed = `e${"\u0301\u0316".repeat(3000)}`;
    expect(tokenizer.decode(tokenizer.encode(mixed))).toBe(`é${below}${above.slice(1)}`);
  });

  test("bytes that form no UTF-8 decode to U+FFFD", () => {
    const [first, second] = tokenizer.encode("ß");
    expect(tokenizer.decode([first!])).toBe("\ufffd");
    expect(tokenizer.decode([first!, second!])).toBe("ß");
    expect(tokenizer.decode([second!, first!])).toBe("\ufffd\ufffd");
  });

  test("has BOS and EOS by the flags, BOS by custom with Llama 3", () => {
    const affixes = (pre: string, flags = {}) => {
      const { prefix, suffix } = tokenizerOf(byteLevelMetadata(pre, flags));
      return [prefix, suffix];
    };
    const [yes, no] = [value.bool(true), value.bool(false)];
    expect(affixes("qwen2")).toEqual([[], []]);
    expect(affixes("llama-bpe")).toEqual([[end], []]);
    expect(affixes("llama-bpe", { [KEY.ADD_BOS]: no })).toEqual([[], []]);
    expect(affixes("qwen2", { [KEY.ADD_EOS]: yes })).toEqual([[], [end]]);
    expect(affixes("gpt-2", { [KEY.ADD_BOS]: yes, [KEY.ADD_EOS]: yes })).toEqual([[end], [end]]);
  });
});

describe("refused:", () => {
  const refusal = (pre: string, changes: Parameters<typeof byteLevelMetadata>[1]) =>
    thrown(() => tokenizerOf(byteLevelMetadata(pre, changes)));

  test("a pre-tokenizer that there is not, or none, with those that there are", () => {
    for (const [change, what] of [
      [value.string("tekken"), /"tekken" \(tokenizer\.ggml\.pre\) is not supported/],
      [undefined, /does not say how .* \(tokenizer\.ggml\.pre\)/],
    ] as const) {
      const { code, message } = refusal("", { [KEY.PRE]: change });
      expect(code).toBe("UNSUPPORTED");
      expect(message).toMatch(what);
      for (const name of ["gpt-2", "llama-bpe", "qwen2"]) expect(message).toContain(`"${name}"`);
    }
  });

  test("a vocabulary without merges, or without a byte", () => {
    const missing = refusal("qwen2", { [KEY.MERGES]: undefined });
    expect(missing.code).toBe("BAD_MODEL");
    expect(missing.message).toMatch(/tokenizer\.ggml\.merges.*missing/);
    expect(refusal("qwen2", { [KEY.MERGES]: value.strings([]) }).message).toMatch(/found 0/);
    const tokens = value.strings(["a", "b"]);
    const types = value.numbers("int32", [1, 1]);
    const few = refusal("qwen2", {
      [KEY.TOKENS]: tokens,
      [KEY.TYPES]: types,
      [KEY.BOS]: undefined,
    });
    expect(few.code).toBe("BAD_MODEL");
    expect(few.message).toMatch(/tokenizer\.ggml\.tokens.*no piece for byte 0/);
  });

  test("merges beyond the limit of length", () => {
    const merges = value.strings([`${"a".repeat(1024)} b`]);
    const { message } = refusal("qwen2", { [KEY.MERGES]: merges });
    expect(message).toMatch(/tokenizer\.ggml\.merges.*1026 bytes; the limit is 1025/);
  });

  test("BOS or EOS that a flag asks for and nobody names", () => {
    const change = { [KEY.ADD_EOS]: value.bool(true), [KEY.EOS]: undefined };
    expect(refusal("qwen2", change).message).toMatch(/eos_token_id.*missing.*add_eos_token/);
  });
});
