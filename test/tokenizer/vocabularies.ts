import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeSynth } from "../../scripts/synth.ts";
import { fillPieces } from "../../src/convert/vocabulary-reader.ts";
import { wordpieceMetadata } from "../../src/convert/wordpiece.ts";
import { encodeHeader } from "../../src/gguf/encode.ts";
import { parseGgufHeader } from "../../src/gguf/parse.ts";
import type { Metadata, MetadataEntry } from "../../src/gguf/types.ts";
import * as value from "../../src/gguf/values.ts";
import { characterOf } from "../../src/tokenizer/byte-characters.ts";
import { createTokenizer } from "../../src/tokenizer/index.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { KEY, TOKEN_TYPE } from "../../src/tokenizer/vocabulary.ts";
import type { RankedPieces, ScoredPieces } from "./texts.ts";

const FIXTURES = join(import.meta.dir, "../fixtures");
const VOCAB = join(FIXTURES, "minilm-vocab.txt.gz");

/** Metadata that went through the bytes of a header, as a file's does. */
export function stored(entries: Iterable<readonly [string, MetadataEntry]>): Metadata {
  const { bytes, fileSize } = encodeHeader(new Map(entries), []);
  const parsed = parseGgufHeader(bytes, fileSize, "vocabulary.gguf");
  if (!parsed.done) throw new Error("the header is not whole");
  return parsed.file.metadata;
}

/** The real vocabulary of Gemma 3: 262,144 pieces. Reading its JSON takes about a second. */
export async function gemmaMetadata(): Promise<Metadata> {
  return stored((await makeSynth("full")).metadata);
}

/** The pieces of all-MiniLM-L6-v2 (those of bert-base-uncased) in the order of their ids. */
export function minilmPieces(): string[] {
  const text = new TextDecoder().decode(Bun.gunzipSync(readFileSync(VOCAB)));
  return text.trimEnd().split("\n");
}

/** The real vocabulary of all-MiniLM-L6-v2: 30,522 pieces. */
export function minilmMetadata(): Metadata {
  const pieces = minilmPieces();
  const id = (piece: string) => pieces.indexOf(piece);
  const special = {
    cls: id("[CLS]"),
    sep: id("[SEP]"),
    unk: id("[UNK]"),
    pad: id("[PAD]"),
    mask: id("[MASK]"),
  };
  const normalizer = { lowercase: true, stripAccents: true };
  const { tokens, types } = fillPieces(
    VOCAB,
    pieces.length,
    pieces.map((piece, i) => [piece, i]),
  );
  for (const control of Object.values(special)) types[control] = TOKEN_TYPE.CONTROL;
  return stored(wordpieceMetadata({ tokens, types, special, ...normalizer }));
}

export function tokenizerOf(metadata: Metadata): Tokenizer {
  return createTokenizer(metadata);
}

/** All ids of a text, those around it included. */
export function allIds(tokenizer: Tokenizer, text: string): number[] {
  return [...tokenizer.prefix, ...tokenizer.encode(text), ...tokenizer.suffix];
}

export interface GoldenLine {
  readonly text: string;
  readonly ids: readonly number[];
}

/** The lines of a fixture in JSON. */
export function goldenLines(name: string): GoldenLine[] {
  const lines = readFileSync(join(FIXTURES, name), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** A SentencePiece vocabulary of `<unk>`, byte pieces and ordinary ones, without BOS and EOS. */
export function scoredMetadata({ pieces, scores }: Omit<ScoredPieces, "texts">): Metadata {
  const type = (piece: string) => (/^<0x..>$/.test(piece) ? TOKEN_TYPE.BYTE : TOKEN_TYPE.NORMAL);
  const types = pieces.map((piece) => (piece === "<unk>" ? TOKEN_TYPE.UNKNOWN : type(piece)));
  return stored([
    [KEY.MODEL, value.string("llama")],
    [KEY.TOKENS, value.strings(pieces)],
    [KEY.SCORES, value.numbers("float32", scores)],
    [KEY.TYPES, value.numbers("int32", types)],
    [KEY.UNKNOWN, value.uint32(pieces.indexOf("<unk>"))],
    [KEY.ADD_BOS, value.bool(false)],
    [KEY.ADD_SPACE_PREFIX, value.bool(false)],
  ]);
}

/** A byte-level vocabulary, all of its pieces ordinary ones. */
export function rankedMetadata({ pre, pieces, merges }: Omit<RankedPieces, "texts">): Metadata {
  return stored([
    [KEY.MODEL, value.string("gpt2")],
    [KEY.PRE, value.string(pre)],
    [KEY.TOKENS, value.strings(pieces)],
    [KEY.MERGES, value.strings(merges)],
    [KEY.ADD_BOS, value.bool(false)],
  ]);
}

/** Byte-level BPE: bytes, some words with all that they begin with, and three added tokens. */
export function byteLevelMetadata(
  pre = "qwen2",
  changes: Readonly<Record<string, MetadataEntry | undefined>> = {},
): Metadata {
  const pieces = Array.from({ length: 256 }, (_, byte) => characterOf(byte));
  const merges: string[] = [];
  for (const word of WORDS) {
    const chars = Array.from(new TextEncoder().encode(word), characterOf);
    for (let end = 2; end <= chars.length; end++) {
      const piece = chars.slice(0, end).join("");
      if (pieces.includes(piece)) continue;
      pieces.push(piece);
      merges.push(`${chars.slice(0, end - 1).join("")} ${chars[end - 1]}`);
    }
  }
  const { CONTROL, NORMAL, USER_DEFINED } = TOKEN_TYPE;
  const types = [...pieces.map(() => NORMAL), CONTROL, USER_DEFINED, USER_DEFINED];
  pieces.push("<|endoftext|>", "<▁ tool>", "<é>");
  const entries: Record<string, MetadataEntry | undefined> = {
    [KEY.MODEL]: value.string("gpt2"),
    [KEY.PRE]: value.string(pre),
    [KEY.TOKENS]: value.strings(pieces),
    [KEY.TYPES]: value.numbers("int32", types),
    [KEY.MERGES]: value.strings(merges),
    [KEY.BOS]: value.uint32(pieces.length - 3),
    [KEY.EOS]: value.uint32(pieces.length - 3),
    ...changes,
  };
  return stored(Object.entries(entries).filter(isThere));
}

const WORDS = [
  " the",
  "the",
  "token",
  "ing",
  "tokenization",
  "  ",
  "\n\n",
  " 你好",
  "你好",
  "é",
  "'s",
  "12",
];

function isThere(entry: [string, MetadataEntry | undefined]): entry is [string, MetadataEntry] {
  return entry[1] !== undefined;
}

/** A Unigram vocabulary of `<unk>` and ordinary pieces with XLM-RoBERTa's white space. */
export function unigramMetadata({ pieces, scores }: Omit<ScoredPieces, "texts">): Metadata {
  const { NORMAL, UNKNOWN } = TOKEN_TYPE;
  return stored([
    [KEY.MODEL, value.string("t5")],
    [KEY.TOKENS, value.strings(pieces)],
    [KEY.SCORES, value.numbers("float32", scores)],
    [
      KEY.TYPES,
      value.numbers(
        "int32",
        pieces.map((piece) => (piece === "<unk>" ? UNKNOWN : NORMAL)),
      ),
    ],
    [KEY.UNKNOWN, value.uint32(pieces.indexOf("<unk>"))],
    [KEY.ADD_EOS, value.bool(false)],
    [KEY.REMOVE_EXTRA_SPACES, value.bool(true)],
  ]);
}
