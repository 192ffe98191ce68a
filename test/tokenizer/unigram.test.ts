import { describe, expect, test } from "bun:test";
import type { MetadataEntry } from "../../src/gguf/types.ts";
import * as value from "../../src/gguf/values.ts";
import { KEY, TOKEN_TYPE } from "../../src/tokenizer/vocabulary.ts";
import { thrown } from "../gguf/rejection.ts";
import { charsmap, charsmapOf } from "./charsmap.ts";
import { BYTES, type Changes, llama, type Piece } from "./small.ts";
import { tokenizerOf } from "./vocabularies.ts";

const { UNKNOWN, CONTROL, UNUSED } = TOKEN_TYPE;
const UNK: Piece = ["<unk>", UNKNOWN];

const bytesOf = (bytes: Uint8Array) => value.numbers("uint8", [...bytes]);

function tokenizer(pieces: readonly Piece[], changes: Changes = {}) {
  return tokenizerOf(
    llama([UNK, ...pieces], {
      [KEY.MODEL]: value.string("t5"),
      [KEY.ADD_EOS]: value.bool(false),
      [KEY.ADD_SPACE_PREFIX]: undefined,
      [KEY.REMOVE_EXTRA_SPACES]: value.bool(true),
      ...changes,
    }),
  );
}

/** The pieces of a text, as they are spelt in the vocabulary. */
function split(pieces: readonly Piece[], text: string, changes?: Changes): string[] {
  const all = [UNK, ...pieces];
  return [...tokenizer(pieces, changes).encode(text)].map((id) => all[id]![0]);
}

const LETTERS: Piece[] = [
  ["▁", 1, -1],
  ["a", 1, -2],
  ["b", 1, -2],
  ["c", 1, -2],
];

describe("the best path", () => {
  test("has the highest sum, not the longest pieces", () => {
    const pieces: Piece[] = [...LETTERS, ["ab", 1, -3], ["bc", 1, -1], ["▁abc", 1, -9]];
    expect(split(pieces, "abc")).toEqual(["▁", "a", "bc"]);
    expect(split([...LETTERS, ["ab", 1, -3], ["▁abc", 1, -4]], "abc")).toEqual(["▁abc"]);
  });

  test("ends in the longest piece where sums are equal", () => {
    expect(split([...LETTERS, ["ab", 1, -4], ["bc", 1, -4]], "abc")).toEqual(["▁", "a", "bc"]);
  });

  test("of equal pieces takes the last", () => {
    const twice: Piece[] = [...LETTERS, ["▁ab", 1, -1], ["▁ab", 1, -1]];
    expect([...tokenizer(twice).encode("ab")]).toEqual([6]);
  });

  test("goes through pieces of any length, and characters of any", () => {
    const long = "▁abcabcabcabcabcabcabcabcabcabcabcabcabcabc";
    const pieces: Piece[] = [...LETTERS, [long, 1, -3], ["😀a", 1, -3], ["ббббббб", 1, -3]];
    expect(split(pieces, `${long.slice(1)}😀aббббббб`)).toEqual([long, "😀a", "ббббббб"]);
  });
});

describe("unknown characters", () => {
  test("become one token a run, within a word", () => {
    expect(split(LETTERS, "xya xé")).toEqual(["▁", "<unk>", "a", "▁", "<unk>"]);
  });

  test("are avoided where a piece holds them, at whatever score", () => {
    expect(split([...LETTERS, ["ax", 1, -11.5]], "ax")).toEqual(["▁", "ax"]);
  });

  test("score ten below the lowest ordinary piece; what fills a vocabulary up is none", () => {
    // To cut off the x costs 2 + 12 + 10; with the filling counted it would cost ten thousand.
    const pieces: Piece[] = [...LETTERS, ["d", 1, -12], ["[PAD]", UNUSED, -10_000]];
    expect(split([...pieces, ["ax", UNUSED, -23.5]], "ax")).toEqual(["▁", "ax"]);
    expect(split([...pieces, ["ax", UNUSED, -24.5]], "ax")).toEqual(["▁", "a", "<unk>"]);
  });

  test("become bytes where the vocabulary has them", () => {
    const split = [...tokenizer([...BYTES, ...LETTERS]).encode("aé")];
    expect(split).toEqual([257, 258, 1 + 0xc3, 1 + 0xa9]);
  });
});

describe("white space", () => {
  test("of any kind and length is one ▁, and none at the ends", () => {
    const text = "\u3000 a\t\r\n\u0085b\u2003\u2028c \u205f";
    expect(split(LETTERS, text)).toEqual(["▁", "a", "▁", "b", "▁", "c"]);
    expect(split(LETTERS, " \n ")).toEqual([]);
    expect(split(LETTERS, "")).toEqual([]);
  });

  test("and ▁ cut a text: no piece reaches across", () => {
    expect(split([...LETTERS, ["a▁b", 1, -0.5]], "a▁b")).toEqual(["▁", "a", "▁", "b"]);
    expect(split(LETTERS, "▁▁a ▁ b")).toEqual(["▁", "▁", "a", "▁", "▁", "b"]);
  });

  test("is kept where the file says so, by spaces alone", () => {
    const keep = { [KEY.REMOVE_EXTRA_SPACES]: value.bool(false) };
    const unknown = ["▁", "<unk>"];
    expect(split(LETTERS, "  a  b ", keep)).toEqual(["▁", "▁", "a", "▁", "▁", "b", "▁"]);
    expect(split(LETTERS, "\t", keep)).toEqual(unknown);
    expect(split(LETTERS, "a b", { ...keep, [KEY.ADD_SPACE_PREFIX]: value.bool(false) })).toEqual([
      ...["a", "▁", "b"],
    ]);
  });
});

describe("tokens of their own", () => {
  const pieces: Piece[] = [...LETTERS, ["<mask>", CONTROL], ["</s>", CONTROL], ["<s>", CONTROL]];

  test("take white space before them along, and a word begins behind them", () => {
    expect(split(pieces, "a <mask> b<mask>c")).toEqual([
      ...["▁", "a", "<mask>", "▁", "b", "<mask>", "▁", "c"],
    ]);
  });

  test("are found like pieces when they come about by normalising", () => {
    const rules = { [KEY.CHARSMAP]: bytesOf(charsmap({ "＜": "<", "＞": ">" })) };
    expect(split(pieces, "＜s＞a", rules)).toEqual(["▁", "<s>", "a"]);
  });

  test("stand around a text by the file's flags; by default only the one at its end", () => {
    const ids = { [KEY.BOS]: value.uint32(7), [KEY.EOS]: value.uint32(6) };
    const affixes = (changes: Changes) => {
      const { prefix, suffix } = tokenizer(pieces, { ...ids, ...changes });
      return [...prefix, 0, ...suffix];
    };
    const absent = { [KEY.ADD_BOS]: undefined, [KEY.ADD_EOS]: undefined };
    expect(affixes(absent)).toEqual([0, 6]);
    expect(affixes({ ...absent, [KEY.ADD_BOS]: value.bool(true) })).toEqual([7, 0, 6]);
  });

  test("and unknown ones are left out of what ids decode to", () => {
    expect(tokenizer(pieces).decode([7, 1, 2, 1, 3, 0, 6])).toBe("a b");
  });
});

describe("rules of the normaliser", () => {
  const rules = { "①": "1", "e\u0301": "c", ﷺ: "a b", "\u200b": "", "\t": " " };
  const encode = (text: string, map: MetadataEntry = bytesOf(charsmap(rules))) =>
    split(LETTERS, text, { [KEY.CHARSMAP]: map }).join("");

  test("replace what they are for, by several words or by nothing", () => {
    expect(encode("aﷺ\u200bb\tc")).toBe("▁aa▁bb▁c");
    expect(encode("e\u0301")).toBe("▁c");
    // A grapheme of six bytes and more is left alone.
    expect(encode("e\u0301\u0301\u0301")).toBe("▁<unk>");
  });

  test("may be stored as signed bytes, be none, or be missing", () => {
    const signed = value.numbers("int8", [...new Int8Array(charsmap(rules))]);
    expect(encode("e\u0301", signed)).toBe("▁c");
    expect(encode("e\u0301", value.numbers("uint8", []))).toBe("▁<unk>");
    expect(split(LETTERS, "a①").join("")).toBe("▁a<unk>");
  });
});

describe("BAD_MODEL for rules that", () => {
  const good = charsmap({ a: "b", "①": "1" });
  const refuse = (bytes: Uint8Array | MetadataEntry, what: RegExp) => {
    const entry = bytes instanceof Uint8Array ? bytesOf(bytes) : bytes;
    const { code, message } = thrown(() => tokenizer(LETTERS, { [KEY.CHARSMAP]: entry }));
    expect({ code, message }).toEqual({ code: "BAD_MODEL", message: expect.stringMatching(what) });
    expect(message).toStartWith("vocabulary.gguf: ");
    expect(message).toContain(KEY.CHARSMAP);
  };
  const units = (...first: number[]) => [...first, ...new Array(256 - first.length).fill(0)];

  test("are cut short, wherever", () => {
    for (let length = 1; length < good.length; length += 37) {
      refuse(good.subarray(0, length), /./);
    }
  });

  test("state a wrong length, or none", () => {
    refuse(charsmapOf([], new Uint8Array(9)), /found 0 of 9 bytes/);
    const odd = good.slice();
    odd[0] = 3;
    refuse(odd, /expected a double array/);
    refuse(value.numbers("float32", [1]), /expected an array of bytes, found float32/);
    refuse(value.string("rules"), /./);
  });

  test("lead outside of the array or of the replacements", () => {
    const nul = new Uint8Array(1);
    refuse(charsmapOf(units((2 ** 20) << 10), nul), /the root leads outside/);
    refuse(charsmapOf(units(0, (300 << 10) | 1), nul), /unit 1 leads outside of 256/);
    refuse(charsmapOf(units(0, (2 << 10) | 0x101), nul), /unit 1 has a key that ends without/);
    const value31 = (start: number) => units(0, (2 << 10) | 0x101, 0, 2 ** 31 + start);
    refuse(charsmapOf(value31(5), nul), /replacement begins outside, at 5/);
    const accent = new TextEncoder().encode("é\0");
    refuse(charsmapOf(value31(1), accent), /begins inside a character/);
    refuse(charsmapOf(value31(0), Uint8Array.of(0xff, 0)), /no UTF-8/);
    refuse(charsmapOf(value31(0), new Uint8Array(300).fill(0x61)), /more than 256 bytes/);
  });

  test("are changed anywhere, or they work", () => {
    let refused = 0;
    for (let at = 0; at < good.length; at += 13) {
      const bytes = good.with(at, good[at]! ^ 0xff);
      try {
        tokenizer(LETTERS, { [KEY.CHARSMAP]: bytesOf(bytes) }).encode("a①\u00ff\u{10ffff}\0b");
      } catch (error) {
        expect(error).toMatchObject({ code: "BAD_MODEL" });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(10);
  });
});
