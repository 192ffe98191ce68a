import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileError, quote } from "../gguf/message.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { KEY, TOKEN_TYPE } from "../tokenizer/vocabulary.ts";
import type { ModelFolder } from "./folder.ts";
import { ADDED_SCORE, type GemmaVocabulary, gemmaVocabulary } from "./gemma-vocabulary.ts";
import { isJsonObject, type JsonFile } from "./json.ts";
import { piecesMetadata } from "./metadata.ts";
import { readSentencePieceFile } from "./sentencepiece-model.ts";
import { readAddedTokensDecoder, specialTokenMetadata } from "./special-tokens.ts";
import { fillPieces, findIn } from "./vocabulary-reader.ts";

const { UNKNOWN, CONTROL, USER_DEFINED, NORMAL } = TOKEN_TYPE;
const FILE = "tokenizer.model";
const METASPACE = "\u2581";

/**
 * The `tokenizer.ggml.*` entries of Gemma's tokenizer, from `tokenizer.json`, or else from
 * SentencePiece's `tokenizer.model`. Throws `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL` or
 * `UNSUPPORTED`.
 */
export async function gemmaTokenizerMetadata(
  folder: ModelFolder,
  vocabSize: number,
): Promise<[string, MetadataEntry][]> {
  const { tokenizer } = folder;
  if (tokenizer !== undefined) requireGemma(tokenizer);
  const vocabulary =
    tokenizer === undefined
      ? await readModel(folder, vocabSize)
      : gemmaVocabulary(tokenizer, vocabSize);
  if (tokenizer !== undefined) requireOrder(tokenizer, vocabulary);
  return [
    ...piecesMetadata("llama", "default", vocabulary),
    ...specialTokenMetadata(folder, findIn(vocabulary.tokens), vocabSize),
    [KEY.ADD_SPACE_PREFIX, value.bool(false)],
  ];
}

/** BPE over characters with bytes for the rest, spaces as ▁, and no space in front. */
function requireGemma(tokenizer: JsonFile): void {
  const { type, byte_fallback } = tokenizer.requireObject("model");
  const normalizer = tokenizer.getObject("normalizer") ?? {};
  const pattern = isJsonObject(normalizer.pattern) ? normalizer.pattern.String : undefined;
  const marks = normalizer.type === "Replace" && normalizer.content === METASPACE;
  if (type === "BPE" && byte_fallback === true && marks && pattern === " ") return;
  const found = `${quote(String(type))} after ${quote(String(normalizer.type))}`;
  const message = `expected Gemma's tokenizer, BPE with bytes after Replace; found ${found}`;
  throw fileError("UNSUPPORTED", tokenizer.path, message);
}

/**
 * GGUF has a score for each piece, here its id's rank, and no list of merges: the order of merges
 * must be that of the pieces that they make. Throws `UNSUPPORTED`.
 */
function requireOrder(tokenizer: JsonFile, { types }: GemmaVocabulary): void {
  const { merges, vocab } = tokenizer.requireObject("model");
  // Its pieces are looked up where they are: a map of them would take as much memory again.
  const ids = isJsonObject(vocab) ? vocab : {};
  let last = -1;
  for (const merge of Array.isArray(merges) ? merges : []) {
    const [left, right] = Array.isArray(merge) ? merge : String(merge).split(" ");
    const piece = `${left}${right}`;
    if (!Object.hasOwn(ids, piece)) continue;
    const id = Number(ids[piece]);
    if (types[id] !== NORMAL) continue;
    if (id < last) {
      const where = quote(piece);
      const message = `"model.merges" are not in the order of the pieces, at ${where}`;
      const advice = `GGUF cannot state that; put ${FILE} in the place of this file.`;
      throw fileError("UNSUPPORTED", tokenizer.path, `${message}: ${advice}`);
    }
    last = id;
  }
}

async function readModel(folder: ModelFolder, vocabSize: number): Promise<GemmaVocabulary> {
  const path = join(folder.path, FILE);
  if (!existsSync(path)) {
    const message =
      "no such file, and no tokenizer.json beside it: the model's tokenizer is missing";
    throw fileError("FILE_NOT_FOUND", path, message);
  }
  const { kind, pieces, addsPrefix } = await readSentencePieceFile(path);
  if (kind !== "bpe" || addsPrefix) {
    throw fileError("UNSUPPORTED", path, "expected Gemma's model: BPE without a space in front");
  }
  const texts = pieces.map(({ text }, id) => [text, id] as const);
  const { tokens, types } = fillPieces(path, vocabSize, texts);
  const scores = new Float32Array(vocabSize).fill(ADDED_SCORE);
  for (const [id, { type, score }] of pieces.entries()) [types[id], scores[id]] = [type, score];
  for (const { id, text, special } of readAddedTokensDecoder(folder.tokenizerConfig)) {
    if (id >= vocabSize || types[id] === UNKNOWN) continue;
    tokens[id] = text.replaceAll(METASPACE, " ");
    types[id] = special ? CONTROL : USER_DEFINED;
    scores[id] = ADDED_SCORE;
  }
  return { tokens, scores, types };
}
