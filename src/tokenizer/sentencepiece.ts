import type { Metadata } from "../gguf/types.ts";
import { AddedTokens } from "./added-tokens.ts";
import { encodeAtOnce, encodeInSteps } from "./encoder.ts";
import { PieceTable } from "./piece-table.ts";
import { SegmentCache } from "./segment-cache.ts";
import { SentencePieceEncoder, type SentencePieceParts } from "./sentencepiece-encoder.ts";
import {
  findBytesBeforeMark,
  readSentencePiece,
  type SentencePieceModel,
} from "./sentencepiece-model.ts";
import { decodePieces } from "./sentencepiece-text.ts";
import type { Tokenizer } from "./types.ts";
import { MARK_BYTES, TOKEN_TYPE } from "./vocabulary.ts";

const { NORMAL, UNDEFINED, UNUSED } = TOKEN_TYPE;
/** Types of the pieces that merging may make. The others are matched before, or stand for bytes. */
const MERGED_TYPES = [UNDEFINED, NORMAL, UNUSED];

const SPACE = 0x20;
/** Most words of most languages, a space included. */
const CACHED_BYTES_MAX = 32;

/**
 * SentencePiece BPE as Gemma and Llama use it (`tokenizer.ggml.model` = `llama`), equal to what
 * Hugging Face `tokenizers` makes of the same model:
 *
 * 1. Control and user-defined tokens are found in the text first, `<bos>` too if a text has it.
 * 2. In what is between them, spaces become ▁, after `tokenizer.ggml.add_space_prefix` one more ▁
 *    in front (then after every such token, as llama.cpp and the original Llama do it).
 * 3. Characters are merged to pieces by score (`PairMerger`).
 * 4. Characters that are no piece become bytes, `<0xNN>`.
 *
 * Throws `BAD_MODEL` for a vocabulary that contradicts itself.
 */
export function createSentencePiece(metadata: Metadata): Tokenizer {
  return new SentencePiece(readSentencePiece(metadata));
}

class SentencePiece implements Tokenizer {
  readonly model = "llama";
  readonly vocabSize: number;
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  readonly #model: SentencePieceModel;
  readonly #parts: SentencePieceParts;
  readonly #encoder: SentencePieceEncoder;

  constructor(model: SentencePieceModel) {
    this.vocabSize = model.vocabulary.pieces.length;
    this.prefix = model.prefix;
    this.suffix = model.suffix;
    this.#model = model;
    this.#parts = sentencePieceParts(model);
    this.#encoder = new SentencePieceEncoder(this.#parts);
  }

  encode(text: string): Int32Array {
    return encodeAtOnce(this.#encoder, text);
  }

  encodeInSteps(text: string): Generator<undefined, Int32Array, undefined> {
    return encodeInSteps(new SentencePieceEncoder(this.#parts), text);
  }

  decode(ids: ArrayLike<number>): string {
    return decodePieces(this.#model, ids);
  }
}

export function sentencePieceParts(model: SentencePieceModel): SentencePieceParts {
  const { vocabulary } = model;
  const table = new PieceTable(vocabulary, MERGED_TYPES);
  return {
    model,
    added: new AddedTokens(vocabulary, SPACE),
    table,
    beforeMark: findBytesBeforeMark(vocabulary),
    hasMark: table.find(MARK_BYTES, 0, MARK_BYTES.length) >= 0,
    cache: new SegmentCache(CACHED_BYTES_MAX),
  };
}
