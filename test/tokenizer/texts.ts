import fc from "fast-check";
import { characterOf } from "../../src/tokenizer/byte-characters.ts";

/** What tokenizers find hard, each with the reason it is here. */
export const TROUBLE: readonly string[] = [
  // Control and user-defined tokens, whole, cut and nested.
  ..."<bos> <eos> <pad> <unk> <mask> <start_of_turn> [multimodal] <unused0> <unused12> </h1>".split(
    " ",
  ),
  ..."<h1 <table> <<bos>> <bos <unused <unused1 [SEP] [CLS] [MASK] [UNK] [PAD] [sep] [SEP".split(
    " ",
  ),
  // Spelling of bytes and continuations in the vocabularies themselves.
  "<0x41>",
  "##ing",
  "[unused5]",
  // ▁ beside spaces, and the one piece of Gemma with a space inside.
  "▁",
  "▁▁",
  " ▁",
  "> </",
  ">▁</",
  // White space of every kind.
  ..." |  |\n|\r\n|\t|\t\t|\u00a0|\u2003|\u3000|\u2028|\u0085|\u000b|\u200b|\ufeff|\u180e".split(
    "|",
  ),
  // Case without a single answer.
  ..."İ ı ẞ ß Σ ΑΣ Σς ŉ ǅ ﬁ K Å ſ".split(" "),
  // Marks: precomposed, decomposed, stacked, out of order, kept by BERT, alone.
  ..."é|e\u0301|q\u0307\u0323|q\u0323\u0307|\u0301|각|각|ä̈".split("|"),
  ..."\u302e\u{1d165}|\u{1d165}\u302e|\u302e\u0941\u{1d165}|\u{1d16d}\u{1d165}|\u1b44\u302e".split(
    "|",
  ),
  ..."\u08d4\u1b44|\u{1e944}\u{1e94a}|𝅗𝅥|\u0344|\u0f73|क़|ো".split("|"),
  // Scripts, and characters outside of the first plane.
  ..."北京 こんにちは ｶﾞ 안녕하세요 Привет مرحبا שָׁלוֹם नमस्ते สวัสดี Γειά 豈 龜 𠮷 𫝀 𝔘𝔫𝔦 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪".split(
    " ",
  ),
  // Control characters, unassigned and private ones, lone surrogates.
  ..."\0|\x01|\x7f|\u00ad|\u0378|\ue000|\uffff|\ufffd|\ud800|\udc00|\u{e0041}|\u{10ffff}".split(
    "|",
  ),
  // Newer than the tables that BERT's normaliser was made with.
  ..."\u1c89|\ua7cb|\u{105c9}|\u{11938}|\u0897|\u1abf|\u2e52|\u061d|\u{16d68}".split("|"),
  // Contractions, whole and cut, and runs of digits of several kinds.
  ..."'s|'S|'ſ|'re|'rE|'r|'ve|'v|'ll|'Ll|'l|'m|'D|''d|'ra|'la| 's| '".split("|"),
  ..."12345678|²³¼ⅷ٣|\n 1|\r\n\n\t".split("|"),
  ..."don't|it's|e.g.|3.14|1,000|$5|50%|C++|a_b|__init__|https://a.b/c?d=e&f|foo@bar.com|~~|...".split(
    "|",
  ),
];

const trouble = fc.constantFrom(...TROUBLE);
const word = fc.string({ unit: fc.constantFrom(..."etaoinshrdlucmfwypvbgkETAOIN"), maxLength: 12 });
const codePoint = fc.integer({ min: 0, max: 0x10ffff }).map((c) => String.fromCodePoint(c));
/** A block of 128 code points: characters that occur together. */
const block = fc
  .tuple(fc.nat(0x3ff), fc.array(fc.nat(127), { minLength: 1, maxLength: 8 }))
  .map(([start, offsets]) => String.fromCodePoint(...offsets.map((o) => start * 128 + o)));
/** Around the lengths where runs of white space and words end. */
const run = fc
  .tuple(
    fc.oneof(word, trouble, codePoint, fc.constantFrom(" ", "\n", "\t", "▁", "a", "ha")),
    fc.nat(120),
  )
  .map(([unit, count]) => unit.repeat(unit.length > 4 ? Math.min(count, 5) : count));

/** Characters that normalisation moves, joins and takes apart, from all blocks that have such. */
const MARKED: readonly string[] = [
  ..."aeouAOÅ\u212b\u2126\u1e9b\u0344\u0340\u0387",
  ..."\u037e<>=≠\u0958\u0915\u093c\u094d\u0a33\ufb1f\u05f2\u05b7",
  ..."\u0300\u0301\u0302\u0307\u0308\u031b\u0323\u0327",
  ..."\u0328\u0334\u0338\u0345\u034f\u035c\u0360\u0315",
  ..."\u09c7\u09be\u09d7\u0b92\u0bd7\u0bc6\u0bbe\u0cc6\u0cc2",
  ..."\u0cd5\u0dd9\u0dcf\u0dca\u0ddc\u1025\u102e\u1b05\u1b35",
  ..."\u1100\u1112\u1161\u1175\u11a7\u11a8\u11c2\u11c3\uac00",
  ..."\uac01\ud788\u3131\u304b\u3099\u309a\u30cf\uf900豈",
  ..."\u0627\u0653\u0654\u064b\u0651\u0670\u06d5\u0e38\u0e48",
  ..."\u0f71\u0f72\u0f73\u0f74\u0f81\u1dfa\u20d0\u302a\u302e",
  ..."\u{1d158}\u{1d165}\u{1d16e}\u{1d15f}\u{1d1ba}",
  ..."\u{11099}\u{110ba}\u{1109a}\u{11131}\u{11127}\u{2f800}",
  // Newer than the library's tables.
  ..."\u{105c9}\u{105d2}\u{11938}\u{11935}\u{11930}\u{16121}",
  ..."\u{1611e}\u{16d68}\u{16d67}\u{16d63}\u1abf\u0897",
];

/** Runs of marks in any order, now and then hundreds of them. */
export const markedText: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(
      fc.oneof(
        { arbitrary: fc.constantFrom(...MARKED), weight: 12 },
        {
          arbitrary: fc.constantFrom(" ", "\n", "x", "1", "'s", "<|endoftext|>", "\ud800"),
          weight: 2,
        },
        {
          arbitrary: fc.integer({ min: 0x300, max: 0x1fff }).map((c) => String.fromCodePoint(c)),
          weight: 1,
        },
      ),
      fc.oneof({ arbitrary: fc.constant(1), weight: 30 }, { arbitrary: fc.nat(300), weight: 1 }),
    ),
    { maxLength: 40, size: "max" },
  )
  .map((parts) => parts.map(([char, count]) => char.repeat(count)).join(""));

/** Pieces of a vocabulary, for texts where many merges are possible. */
export type Pieces = readonly string[];

/** Texts made to be hard for tokenizers, of some hundred characters, lone surrogates included. */
export function hardText(pieces: Pieces): fc.Arbitrary<string> {
  const piece = fc.nat(pieces.length - 1).map((i) => pieces[i]!);
  const part = fc.oneof(
    { arbitrary: fc.constant(" "), weight: 6 },
    { arbitrary: word, weight: 4 },
    { arbitrary: piece, weight: 4 },
    { arbitrary: trouble, weight: 4 },
    { arbitrary: block, weight: 2 },
    { arbitrary: codePoint, weight: 1 },
    { arbitrary: run, weight: 1 },
    { arbitrary: fc.string({ unit: "binary", maxLength: 4 }), weight: 1 },
  );
  return fc.array(part, { maxLength: 24, size: "max" }).map((parts) => parts.join(""));
}

/** A vocabulary for SentencePiece BPE, and texts for it. */
export interface ScoredPieces {
  readonly pieces: readonly string[];
  readonly scores: readonly number[];
  readonly texts: readonly string[];
}

const LETTERS = ["a", "b", "é", "▁"];
const BYTE_PIECES = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
);

/**
 * Few letters and many pieces of them, so that merges compete; few scores, so that they tie. As in
 * a trained model, all letters are pieces, and so is what a piece was merged from. With byte tokens
 * or without.
 */
export function scoredPieces(textCount: number): fc.Arbitrary<ScoredPieces> {
  const merge = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 12 }));
  const text = fc.string({ unit: fc.constantFrom(..."aaabbbéé  x"), maxLength: 60, size: "max" });
  return fc
    .record({
      merges: fc.array(merge, { minLength: 1, maxLength: 40, size: "max" }),
      bytes: fc.constantFrom(BYTE_PIECES, []),
      texts: fc.array(text, { minLength: textCount, maxLength: textCount, size: "max" }),
    })
    .map(({ merges, bytes, texts }) => {
      const scores = new Map(LETTERS.map((letter) => [letter, 0]));
      for (const [left, right, rank] of merges) {
        const known = [...scores.keys()];
        const piece = known[left % known.length]! + known[right % known.length]!;
        if ([...piece].length <= 8 && !scores.has(piece)) scores.set(piece, -rank);
      }
      return {
        pieces: ["<unk>", ...bytes, ...scores.keys()],
        scores: [0, ...bytes.map(() => 0), ...scores.values()],
        texts,
      };
    });
}

/** A vocabulary for byte-level BPE, and texts for it. */
export interface RankedPieces {
  /** A value of `tokenizer.ggml.pre`. */
  readonly pre: string;
  readonly pieces: readonly string[];
  readonly merges: readonly string[];
  readonly texts: readonly string[];
}

/** Those with rules of their own. */
export const PRE_TOKENIZERS = ["gpt-2", "modern-bert", "llama-bpe", "qwen2"] as const;

const BYTE_CHARACTERS = Array.from({ length: 256 }, (_, byte) => characterOf(byte));

/**
 * Few letters and many pieces of them, made in several ways, so that merges compete; merges in any
 * order; and pieces that no merge makes.
 */
export function rankedPieces(textCount: number): fc.Arbitrary<RankedPieces> {
  const letters = ["a", "b", "Ġ", "Ã", "©", "1"];
  const merge = fc.tuple(fc.nat(), fc.nat(), fc.nat());
  const text = fc.string({
    unit: fc.constantFrom(..."aaabbbéé  11\n"),
    maxLength: 60,
    size: "max",
  });
  return fc
    .record({
      pre: fc.constantFrom(...PRE_TOKENIZERS),
      made: fc.array(merge, { minLength: 1, maxLength: 60, size: "max" }),
      others: fc.array(fc.string({ unit: fc.constantFrom(..."ab"), minLength: 2, maxLength: 5 })),
      texts: fc.array(text, { minLength: textCount, maxLength: textCount, size: "max" }),
    })
    .map(({ pre, made, others, texts }) => {
      const pieces = new Set(letters);
      const merges = new Map<string, number>();
      for (const [left, right, rank] of made) {
        const known = [...pieces];
        const [a, b] = [known[left % known.length]!, known[right % known.length]!];
        if (a.length + b.length > 8) continue;
        pieces.add(a + b);
        merges.set(`${a} ${b}`, rank);
      }
      const ranked = [...merges].sort((a, b) => a[1] - b[1]).map(([pair]) => pair);
      const all = new Set([...BYTE_CHARACTERS, ...pieces, ...others]);
      return { pre, pieces: [...all], merges: ranked, texts };
    });
}

/** A vocabulary for Unigram, and texts for it. */
export function unigramPieces(textCount: number): fc.Arbitrary<ScoredPieces> {
  const join = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 12 }));
  const letters = fc.uniqueArray(fc.constantFrom(...LETTERS, "😀", "c"), { minLength: 1 });
  const unit = fc.constantFrom(..."aaabbbcéé😀▁  x\u0301\t");
  const text = fc.string({ unit, maxLength: 60, size: "max" });
  return fc
    .record({
      letters,
      joins: fc.array(join, { maxLength: 40, size: "max" }),
      texts: fc.array(text, { minLength: textCount, maxLength: textCount, size: "max" }),
    })
    .map(({ letters, joins, texts }) => {
      const scores = new Map(letters.map((letter, i) => [letter, -(i % 3) * 2 - 1]));
      for (const [left, right, rank] of joins) {
        const known = [...scores.keys(), "x"];
        const piece = known[left % known.length]! + known[right % known.length]!;
        // Whatever is behind a ▁ inside of a piece is out of reach.
        const isWithin = piece.lastIndexOf("▁") <= 0 && [...piece].length <= 8;
        if (isWithin && !scores.has(piece)) scores.set(piece, -rank);
      }
      return { pieces: ["<unk>", ...scores.keys()], scores: [0, ...scores.values()], texts };
    });
}

/** What is in graphemes of several characters, and beside them. */
const GRAPHEME_PARTS: readonly string[] = [
  ..."a|e|é|x| |①|ﬁ|ǆ|Ω|ا|ℹ|©|™|👨|👩🏾|🇩|🇪|क|ष|क़|ক|ᄀ|ᅡ|ᆨ|가|각|ཷ|ⴰ|ꣵ".split("|"),
  ..."\u0301|\u0308|\u0344|\u0653|\u0903|\u093c|\u094d|\u09cd|\u0e31|\u3099|\ufe0f".split("|"),
  ..."\u200d|\u200c|\u0600|\u06dd|\u0d4e|\u{110bd}|\r|\n|\0|\u00ad|\u200b".split("|"),
  ..."\u{1f3fe} \u{e0041}".split(" "),
];

/** Rules of a normaliser, and texts for it. */
export interface NormalizerRules {
  readonly rules: Readonly<Record<string, string>>;
  readonly texts: readonly string[];
}

/** Rules of which one begins with another, and texts in which graphemes are long or short. */
export function normalizerRules(textCount: number): fc.Arbitrary<NormalizerRules> {
  const part = fc.constantFrom(...GRAPHEME_PARTS);
  const several = fc.array(part, { minLength: 2, maxLength: 3 }).map((parts) => parts.join(""));
  const key = fc.oneof({ arbitrary: part, weight: 3 }, { arbitrary: several, weight: 1 });
  const replacement = fc.array(part, { maxLength: 3 }).map((parts) => parts.join(""));
  const hasNoEnd = (text: string) => !text.includes("\0");
  const unit = fc.oneof({ arbitrary: part, weight: 9 }, { arbitrary: codePoint, weight: 1 });
  const text = fc.array(unit, { maxLength: 60, size: "max" });
  return fc.record({
    rules: fc.dictionary(key.filter(hasNoEnd), replacement.filter(hasNoEnd), {
      maxKeys: 30,
      size: "max",
    }),
    texts: fc.array(
      text.map((parts) => parts.join("").toWellFormed()),
      { minLength: textCount, maxLength: textCount, size: "max" },
    ),
  });
}
