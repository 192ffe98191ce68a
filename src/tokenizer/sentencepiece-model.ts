import type { Metadata } from "../gguf/types.ts";
import { readUnknownCharacters, type UnknownCharacters } from "./byte-tokens.ts";
import {
  badVocabulary,
  KEY,
  missingToken,
  readAffix,
  readPerPiece,
  readVocabulary,
  type Vocabulary,
} from "./vocabulary.ts";

/** What a file says of a SentencePiece tokenizer, checked against itself. */
export interface SentencePieceModel {
  readonly vocabulary: Vocabulary;
  /** BPE: the higher, the earlier a piece is merged. Unigram: logarithms of probabilities. */
  readonly scores: Float32Array;
  readonly unknownCharacters: UnknownCharacters;
  /** Ids before every text. */
  readonly prefix: readonly number[];
  /** Ids after every text. */
  readonly suffix: readonly number[];
  readonly addSpacePrefix: boolean;
}

/** What flags that are absent mean: what they mean to llama.cpp. */
const DEFAULTS = { addBos: true, addEos: false };

/** Throws `BAD_MODEL`. */
export function readSentencePiece(metadata: Metadata, defaults = DEFAULTS): SentencePieceModel {
  const vocabulary = readVocabulary(metadata);
  const addBos = { key: KEY.ADD_BOS, isDefault: defaults.addBos };
  const addEos = { key: KEY.ADD_EOS, isDefault: defaults.addEos };
  return {
    vocabulary,
    scores: readScores(metadata, vocabulary),
    unknownCharacters: readUnknownCharacters(metadata, vocabulary),
    prefix: readAffix(metadata, vocabulary, addBos, KEY.BOS),
    suffix: readAffix(metadata, vocabulary, addEos, KEY.EOS),
    addSpacePrefix: metadata.getBoolean(KEY.ADD_SPACE_PREFIX) ?? true,
  };
}

function readScores(metadata: Metadata, { path, pieces }: Vocabulary): Float32Array {
  const stored = readPerPiece(metadata, KEY.SCORES, pieces.length);
  if (stored === undefined) {
    throw missingToken(path, KEY.SCORES, "the pieces of a SentencePiece model have scores");
  }
  const scores = stored instanceof Float32Array ? stored : Float32Array.from(stored, Number);
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    if (scores.includes(bad)) throw badVocabulary(path, KEY.SCORES, `a score is ${bad}`);
  }
  return scores;
}

/**
 * A set of bytes (1 for each that is in it), with all that some piece has directly before a ▁
 * inside of it. Gemma has one such piece, `>▁</`.
 *
 * Looks at all bytes at once and natively, since a loop would take 20 ms on first use. Pieces lie
 * in the order of their ids. Before a ▁ that begins a piece there is the length of the piece in the
 * file, whose last byte is 0: so 0 is passed by, and always in the set. Whatever else might be
 * there can only add to the set.
 */
export function findBytesBeforeMark({ pieces }: Vocabulary): Uint8Array {
  const { bytes, starts, ends } = pieces;
  const length = ends.at(-1)! - starts[0]!;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + starts[0]!, length).toString("latin1");
  const found = new Uint8Array(256);
  found[0] = 1;
  for (const [byte] of text.matchAll(/[^\0](?=\xe2\x96\x81)/g)) found[byte.charCodeAt(0)] = 1;
  return found;
}
