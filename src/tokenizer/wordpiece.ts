import type { Metadata } from "../gguf/types.ts";
import { AddedTokens } from "./added-tokens.ts";
import { BertNormalizer } from "./bert-normalizer.ts";
import { encodeAtOnce, encodeInSteps } from "./encoder.ts";
import { PieceTable } from "./piece-table.ts";
import type { Tokenizer } from "./types.ts";
import {
  checkId,
  KEY,
  MARK,
  missingToken,
  pieceBytes,
  readTokenId,
  readVocabulary,
  TOKEN_TYPE,
  type Vocabulary,
} from "./vocabulary.ts";
import { WordPieceEncoder, type WordPieceParts } from "./wordpiece-encoder.ts";

const { UNDEFINED, NORMAL, UNUSED, UNKNOWN, CONTROL } = TOKEN_TYPE;
const WORD_TYPES = [UNDEFINED, NORMAL, UNUSED];

const SPECIAL_KEYS = [KEY.UNKNOWN, KEY.CLS, KEY.BOS, KEY.SEPARATOR, KEY.EOS, KEY.PADDING, KEY.MASK];

/**
 * WordPiece as BERT uses it (`tokenizer.ggml.model` = `bert`), equal to what Hugging Face
 * `tokenizers` makes of the same vocabulary:
 *
 * 1. Control and user-defined tokens are found in the text first, `[SEP]` too if a text has it.
 * 2. What is between them is cleaned and cut into words (`BertNormalizer`, `BertWords`).
 * 3. Each word becomes the longest pieces from left to right (`WordMatcher`), or `[UNK]`.
 *
 * In GGUF a piece that begins a word has a ▁ in front, and one that continues a word has nothing
 * (in BERT's own vocabulary nothing and `##`). Throws `BAD_MODEL` for a vocabulary that contradicts
 * itself.
 */
export function createWordPiece(metadata: Metadata): Tokenizer {
  const vocabulary = readVocabulary(metadata, SPECIAL_KEYS);
  const parts = wordPieceParts(metadata, vocabulary);
  return new WordPiece(vocabulary, parts, readAffixes(metadata, vocabulary));
}

/** Throws `BAD_MODEL` for a vocabulary that contradicts itself. */
export function wordPieceParts(
  metadata: Metadata,
  vocabulary = readVocabulary(metadata, SPECIAL_KEYS),
): WordPieceParts {
  const unknown = readTokenId(metadata, vocabulary.pieces.length, KEY.UNKNOWN);
  if (unknown === undefined) {
    throw missingToken(metadata.path, KEY.UNKNOWN, "words without pieces need it");
  }
  const lowercase = metadata.getBoolean(KEY.LOWERCASE) ?? true;
  const stripAccents = metadata.getBoolean(KEY.STRIP_ACCENTS) ?? lowercase;
  return {
    added: new AddedTokens(vocabulary, "nothing"),
    normalizer: new BertNormalizer({ lowercase, stripAccents }),
    table: new PieceTable(vocabulary, WORD_TYPES),
    unknown,
  };
}

interface Affixes {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

class WordPiece implements Tokenizer {
  readonly model = "bert";
  readonly vocabSize: number;
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  readonly #vocabulary: Vocabulary;
  readonly #parts: WordPieceParts;
  readonly #encoder: WordPieceEncoder;

  constructor(vocabulary: Vocabulary, parts: WordPieceParts, { prefix, suffix }: Affixes) {
    this.vocabSize = vocabulary.pieces.length;
    this.prefix = prefix;
    this.suffix = suffix;
    this.#vocabulary = vocabulary;
    this.#parts = parts;
    this.#encoder = new WordPieceEncoder(parts);
  }

  encode(text: string): Int32Array {
    return encodeAtOnce(this.#encoder, text);
  }

  encodeInSteps(text: string): Generator<undefined, Int32Array, undefined> {
    return encodeInSteps(new WordPieceEncoder(this.#parts), text);
  }

  /** Words with spaces between them. What the normaliser did to the text is not undone. */
  decode(ids: ArrayLike<number>): string {
    const { pieces, types } = this.#vocabulary;
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let text = "";
    for (let i = 0; i < ids.length; i++) {
      const id = checkId(ids[i]!, this.#vocabulary);
      const type = types[id];
      if (type === CONTROL || type === UNKNOWN) continue;
      const piece = decoder.decode(pieceBytes(pieces, id));
      const beginsWord = piece.startsWith(MARK);
      if (beginsWord && text !== "") text += " ";
      text += beginsWord ? piece.slice(MARK.length) : piece;
    }
    return text;
  }
}

/**
 * [CLS] and [SEP], unless the file's flags say otherwise. Files store [CLS] as such or as BOS, and
 * ask for [SEP] by `add_sep_token` or, most of them, by `add_eos_token`.
 */
function readAffixes(metadata: Metadata, vocabulary: Vocabulary): Affixes {
  const read = (...keys: string[]) => {
    const ids = keys.map((key) => readTokenId(metadata, vocabulary.pieces.length, key));
    const id = ids.find((found) => found !== undefined);
    if (id !== undefined) return [id];
    throw missingToken(metadata.path, keys[0]!, `every text is to have it, and ${keys[1]} neither`);
  };
  const addEos = metadata.getBoolean(KEY.ADD_EOS);
  const addSeparator = metadata.getBoolean(KEY.ADD_SEPARATOR);
  const hasSuffix = addSeparator === true || (addEos ?? addSeparator ?? true);
  return {
    prefix: (metadata.getBoolean(KEY.ADD_BOS) ?? true) ? read(KEY.CLS, KEY.BOS) : [],
    suffix: hasSuffix ? read(KEY.SEPARATOR, KEY.EOS) : [],
  };
}
