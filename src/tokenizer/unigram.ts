import type { Metadata } from "../gguf/types.ts";
import { AddedTokens } from "./added-tokens.ts";
import { readCharsmap } from "./charsmap.ts";
import { CharsmapRules } from "./charsmap-rules.ts";
import { encodeAtOnce, encodeInSteps } from "./encoder.ts";
import { PieceLengths } from "./piece-lengths.ts";
import { PieceTable } from "./piece-table.ts";
import { SegmentCache } from "./segment-cache.ts";
import { readSentencePiece, type SentencePieceModel } from "./sentencepiece-model.ts";
import { decodePieces } from "./sentencepiece-text.ts";
import type { Tokenizer } from "./types.ts";
import { UnigramEncoder, type UnigramParts } from "./unigram-encoder.ts";
import { KEY, TOKEN_TYPE } from "./vocabulary.ts";

const { UNDEFINED, NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED } = TOKEN_TYPE;
/**
 * Types of the pieces that a path may take. Control tokens are among them in Hugging Face: one that
 * a text has only after it was normalised is found like other pieces.
 */
const PATH_TYPES = [UNDEFINED, NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED];
const SPACE = 0x20;
/** Longest word that is kept: most words of most languages, their ▁ included. */
const CACHED_BYTES_MAX = 32;
/** What flags that are absent mean to llama.cpp. */
const DEFAULTS = { addBos: false, addEos: true };

/**
 * SentencePiece Unigram as XLM-RoBERTa and T5 use it (`tokenizer.ggml.model` = `t5`), equal to what
 * Hugging Face `tokenizers` makes of the same model:
 *
 * 1. Control and user-defined tokens are found in the text first, `</s>` too if a text has it.
 * 2. What is between them is normalised by the file's own rules (`CharsmapNormalizer`).
 * 3. It is cut into words, each with a ▁ in front (`SpacedWords`).
 * 4. Each word becomes the pieces with the highest sum of scores (`BestPath`).
 *
 * Throws `BAD_MODEL` for a vocabulary that contradicts itself, and for damaged rules.
 */
export function createUnigram(metadata: Metadata): Tokenizer {
  const model = readSentencePiece(metadata, DEFAULTS);
  return new Unigram(model, unigramParts(metadata, model));
}

/** Throws `BAD_MODEL` for damaged rules. */
export function unigramParts(
  metadata: Metadata,
  model = readSentencePiece(metadata, DEFAULTS),
): UnigramParts {
  const { vocabulary, scores, unknownCharacters, addSpacePrefix } = model;
  return {
    added: new AddedTokens(vocabulary, SPACE),
    pieces: {
      table: new PieceTable(vocabulary, PATH_TYPES),
      lengths: new PieceLengths(vocabulary),
      scores,
      lowest: lowestScore(model),
      unknownCharacters,
    },
    rules: new CharsmapRules(readCharsmap(metadata)),
    spaces: {
      addSpacePrefix,
      removeExtraSpaces: metadata.getBoolean(KEY.REMOVE_EXTRA_SPACES) ?? false,
    },
    cache: new SegmentCache(CACHED_BYTES_MAX),
  };
}

/** Of ordinary pieces: what fills a vocabulary up to its size has scores that mean nothing. */
function lowestScore({ vocabulary: { types }, scores }: SentencePieceModel): number {
  let lowest = 0;
  for (let id = 0; id < types.length; id++) {
    if (scores[id]! < lowest && types[id] === NORMAL) lowest = scores[id]!;
  }
  return lowest;
}

class Unigram implements Tokenizer {
  readonly model = "t5";
  readonly vocabSize: number;
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  readonly #model: SentencePieceModel;
  readonly #parts: UnigramParts;
  readonly #encoder: UnigramEncoder;

  constructor(model: SentencePieceModel, parts: UnigramParts) {
    this.vocabSize = model.vocabulary.pieces.length;
    this.prefix = model.prefix;
    this.suffix = model.suffix;
    this.#model = model;
    this.#parts = parts;
    this.#encoder = new UnigramEncoder(parts);
  }

  encode(text: string): Int32Array {
    return encodeAtOnce(this.#encoder, text);
  }

  encodeInSteps(text: string): Generator<undefined, Int32Array, undefined> {
    return encodeInSteps(new UnigramEncoder(this.#parts), text);
  }

  /** What the normaliser did to the text is not undone. */
  decode(ids: ArrayLike<number>): string {
    return decodePieces(this.#model, ids);
  }
}
