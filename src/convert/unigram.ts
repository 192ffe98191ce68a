import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileError, quote } from "../gguf/message.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { KEY, TOKEN_TYPE } from "../tokenizer/vocabulary.ts";
import type { ModelFolder } from "./folder.ts";
import { isJsonObject, type JsonFile, type JsonObject } from "./json.ts";
import { piecesMetadata } from "./metadata.ts";
import { type Piece, readSentencePieceFile } from "./sentencepiece-model.ts";
import { readAddedTokens, specialTokenMetadata } from "./special-tokens.ts";
import { fillPieces, findIn } from "./vocabulary-reader.ts";

const { NORMAL, UNKNOWN, CONTROL, USER_DEFINED } = TOKEN_TYPE;
export const SENTENCEPIECE_FILE = "sentencepiece.bpe.model";
const METASPACE = "\u2581";
/** What llama.cpp's converter gives the rows of the table that have no piece. */
const PADDING_SCORE = -10_000;
/** The pieces that XLM-RoBERTa has in the place of SentencePiece's first three. */
const FAIRSEQ: readonly Piece[] = [
  { text: "<s>", score: 0, type: CONTROL },
  { text: "<pad>", score: 0, type: CONTROL },
  { text: "</s>", score: 0, type: CONTROL },
  { text: "<unk>", score: 0, type: UNKNOWN },
];
const REPLACED = 3;
const MASK: Piece = { text: "<mask>", score: 0, type: CONTROL };
/** Where a folder has nothing but the SentencePiece model. */
const USUAL_IDS = { BOS: 0, PADDING: 1, EOS: 2, UNKNOWN: 3 };

interface Unigram {
  readonly path: string;
  /** By id. */
  readonly pieces: readonly Piece[];
  readonly charsmap: Uint8Array;
  readonly addsPrefix: boolean;
  readonly removesExtraSpaces: boolean;
}

/**
 * The `tokenizer.ggml.*` entries of XLM-RoBERTa's tokenizer, from `tokenizer.json`, or else from
 * its SentencePiece model. Throws `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL` or `UNSUPPORTED`.
 */
export async function unigramMetadata(
  folder: ModelFolder,
  vocabSize: number,
): Promise<[string, MetadataEntry][]> {
  const { tokenizer } = folder;
  const unigram = tokenizer === undefined ? await readFairseq(folder) : readTokenizer(tokenizer);
  const { path, pieces, charsmap } = unigram;
  const { tokens, types } = fillPieces(
    path,
    vocabSize,
    pieces.map(({ text }, id) => [text, id]),
  );
  const scores = new Float32Array(vocabSize).fill(PADDING_SCORE);
  for (const [id, { type, score }] of pieces.entries()) [types[id], scores[id]] = [type, score];
  return [
    ...piecesMetadata("t5", "default", { tokens, types, scores }),
    [KEY.ADD_SPACE_PREFIX, value.bool(unigram.addsPrefix)],
    [KEY.REMOVE_EXTRA_SPACES, value.bool(unigram.removesExtraSpaces)],
    ...charsmapMetadata(charsmap),
    ...(tokenizer === undefined
      ? usualTokens(findIn(tokens)("<mask>"))
      : specialTokenMetadata(folder, findIn(tokens), vocabSize)),
  ];
}

function charsmapMetadata(charsmap: Uint8Array): [string, MetadataEntry][] {
  if (charsmap.length === 0) return [];
  return [[KEY.CHARSMAP, value.numbers("uint8", charsmap)]];
}

function usualTokens(mask: number | undefined): [string, MetadataEntry][] {
  return [
    [KEY.BOS, value.uint32(USUAL_IDS.BOS)],
    [KEY.EOS, value.uint32(USUAL_IDS.EOS)],
    [KEY.UNKNOWN, value.uint32(USUAL_IDS.UNKNOWN)],
    [KEY.SEPARATOR, value.uint32(USUAL_IDS.EOS)],
    [KEY.PADDING, value.uint32(USUAL_IDS.PADDING)],
    ...(mask === undefined
      ? []
      : [[KEY.MASK, value.uint32(mask)] satisfies [string, MetadataEntry]]),
    [KEY.ADD_BOS, value.bool(true)],
    [KEY.ADD_EOS, value.bool(true)],
    [KEY.ADD_SEPARATOR, value.bool(true)],
  ];
}

/** Ids of the original are one less: Facebook's fairseq counted in a `<pad>`. */
async function readFairseq({ path: folder }: ModelFolder): Promise<Unigram> {
  const path = join(folder, SENTENCEPIECE_FILE);
  if (!existsSync(path)) {
    const message =
      "no such file, and no tokenizer.json beside it: the model's tokenizer is missing";
    throw fileError("FILE_NOT_FOUND", path, message);
  }
  const file = await readSentencePieceFile(path);
  if (file.kind !== "unigram") {
    throw fileError("UNSUPPORTED", path, "expected a Unigram model, found one of BPE");
  }
  return { ...file, pieces: [...FAIRSEQ, ...file.pieces.slice(REPLACED), MASK] };
}

function readTokenizer(tokenizer: JsonFile): Unigram {
  const { path } = tokenizer;
  const model = tokenizer.requireObject("model");
  if (model.type !== "Unigram" || model.byte_fallback === true) {
    const found = quote(String(model.type));
    throw fileError("UNSUPPORTED", path, `"model.type": expected "Unigram", found ${found}`);
  }
  const pieces = readPieces(path, model);
  for (const { id, text, special } of readAddedTokens(tokenizer)) {
    if (id === model.unk_id) continue;
    if (id > pieces.length) {
      throw fileError("BAD_MODEL", path, `no piece has an id from ${pieces.length} to ${id - 1}`);
    }
    const type = special ? CONTROL : USER_DEFINED;
    pieces[id] = { text, score: pieces[id]?.score ?? 0, type };
  }
  return { path, pieces, ...readNormalizer(tokenizer) };
}

function readPieces(path: string, { vocab, unk_id }: JsonObject): Piece[] {
  return (Array.isArray(vocab) ? vocab : []).map((entry: unknown, id) => {
    const [text, score] = Array.isArray(entry) ? entry : [];
    if (typeof text !== "string" || typeof score !== "number") {
      throw fileError("BAD_MODEL", path, `"model.vocab": entry ${id} is no piece with its score`);
    }
    return { text, score, type: id === unk_id ? UNKNOWN : NORMAL };
  });
}

/** What is done to a text before it is cut into pieces. */
function readNormalizer(tokenizer: JsonFile): Omit<Unigram, "path" | "pieces"> {
  let charsmap = new Uint8Array(0);
  let [removesExtraSpaces, addsPrefix] = [false, false];
  for (const step of steps(tokenizer.getObject("normalizer"), "normalizers")) {
    if (step.type === "Precompiled") charsmap = decodeCharsmap(tokenizer.path, step);
    else if (isSpaceRun(step)) removesExtraSpaces = true;
    else throw unknownStep(tokenizer, "normalizer", step);
  }
  for (const step of steps(tokenizer.getObject("pre_tokenizer"), "pretokenizers")) {
    if (step.type === "WhitespaceSplit") removesExtraSpaces = true;
    else if (step.type === "Metaspace" && (step.replacement ?? METASPACE) === METASPACE) {
      addsPrefix = (step.prepend_scheme ?? "always") !== "never" && step.add_prefix_space !== false;
    } else throw unknownStep(tokenizer, "pre_tokenizer", step);
  }
  return { charsmap, removesExtraSpaces, addsPrefix };
}

/** The steps of a `Sequence`, or the only one. */
function steps(stated: JsonObject | undefined, list: string): JsonObject[] {
  const found = stated?.[list] ?? [stated];
  return (Array.isArray(found) ? found : []).filter(isJsonObject);
}

/** Replaces two spaces or more by one. */
function isSpaceRun({ type, pattern, content }: JsonObject): boolean {
  const regex = isJsonObject(pattern) ? pattern.Regex : undefined;
  return type === "Replace" && regex === " {2,}" && (content === " " || content === METASPACE);
}

function decodeCharsmap(
  path: string,
  { precompiled_charsmap: text }: JsonObject,
): Uint8Array<ArrayBuffer> {
  // Not `fromBase64` on anything: JSON's null is what a normaliser without rules has.
  if (text === null || text === undefined) return new Uint8Array(0);
  try {
    return Uint8Array.fromBase64(String(text));
  } catch (cause) {
    throw fileError("BAD_MODEL", path, `"precompiled_charsmap" is not base64`, { cause });
  }
}

function unknownStep({ path }: JsonFile, key: string, { type }: JsonObject): Error {
  const message = `${quote(key)}: GGUF has no place for the step ${quote(String(type))}`;
  return fileError("UNSUPPORTED", path, message);
}
