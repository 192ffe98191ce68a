import type { Metadata } from "../gguf/types.ts";
import { AddedTokens } from "./added-tokens.ts";
import { bytesOfPiece, LEADS, TRAILS } from "./byte-characters.ts";
import { ByteLevelEncoder, type ByteLevelParts } from "./byte-level-encoder.ts";
import { CodePoints } from "./code-points.ts";
import { encodeAtOnce, encodeInSteps } from "./encoder.ts";
import { MergeList } from "./merge-list.ts";
import { PieceTable } from "./piece-table.ts";
import { readPreTokenizer } from "./pre-tokenizers.ts";
import { SegmentCache } from "./segment-cache.ts";
import type { Tokenizer } from "./types.ts";
import {
  badVocabulary,
  checkId,
  KEY,
  pieceBytes,
  readAffix,
  readVocabulary,
  TOKEN_TYPE,
  type Vocabulary,
} from "./vocabulary.ts";

const { NORMAL, UNDEFINED, UNUSED, UNKNOWN, CONTROL, USER_DEFINED } = TOKEN_TYPE;
/** Types of the pieces that merging may make. The others are matched before. */
const MERGED_TYPES = [UNDEFINED, NORMAL, UNUSED];
const SPECIAL_KEYS = [KEY.BOS, KEY.EOS, KEY.PADDING, KEY.UNKNOWN, KEY.SEPARATOR, KEY.MASK];

/** Most words of most languages, a space included; a byte outside of ASCII takes two. */
const CACHED_BYTES_MAX = 64;

/**
 * Byte-level BPE as GPT-2, Llama 3 and Qwen use it (`tokenizer.ggml.model` = `gpt2`), equal to what
 * Hugging Face `tokenizers` makes of the same vocabulary:
 *
 * 1. Control and user-defined tokens are found in the text first, `<|endoftext|>` too if a text has
 *    it.
 * 2. What is between them is brought to NFC, if the model does that (`NfcNormalizer`), and cut into
 *    words by the pattern that `tokenizer.ggml.pre` names (`WordCutter`).
 * 3. The bytes of each word, as characters, are merged by the order of `tokenizer.ggml.merges`
 *    (`PairMerger`).
 *
 * Throws `BAD_MODEL` for a vocabulary that contradicts itself, `UNSUPPORTED` for another
 * pre-tokeniser.
 */
export function createByteLevel(metadata: Metadata): Tokenizer {
  const vocabulary = readVocabulary(metadata, SPECIAL_KEYS);
  return new ByteLevel(metadata, vocabulary, byteLevelParts(metadata, vocabulary));
}

/** Throws as `createByteLevel` does. */
export function byteLevelParts(
  metadata: Metadata,
  vocabulary = readVocabulary(metadata, SPECIAL_KEYS),
): ByteLevelParts {
  const preTokenizer = readPreTokenizer(metadata);
  const table = new PieceTable(vocabulary, MERGED_TYPES);
  checkBytes(vocabulary, table);
  return {
    preTokenizer,
    added: new AddedTokens(vocabulary, "itself"),
    codePoints: new CodePoints(preTokenizer.pattern.isCaseless),
    table,
    merges: new MergeList(metadata),
    cache: new SegmentCache(CACHED_BYTES_MAX),
  };
}

class ByteLevel implements Tokenizer {
  readonly model = "gpt2";
  readonly vocabSize: number;
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  readonly #vocabulary: Vocabulary;
  readonly #parts: ByteLevelParts;
  readonly #encoder: ByteLevelEncoder;

  constructor(metadata: Metadata, vocabulary: Vocabulary, parts: ByteLevelParts) {
    const addBos = { key: KEY.ADD_BOS, isDefault: parts.preTokenizer.addsBos };
    const addEos = { key: KEY.ADD_EOS, isDefault: false };
    this.vocabSize = vocabulary.pieces.length;
    this.prefix = readAffix(metadata, vocabulary, addBos, KEY.BOS);
    this.suffix = readAffix(metadata, vocabulary, addEos, KEY.EOS);
    this.#vocabulary = vocabulary;
    this.#parts = parts;
    this.#encoder = new ByteLevelEncoder(parts);
  }

  encode(text: string): Int32Array {
    return encodeAtOnce(this.#encoder, text);
  }

  encodeInSteps(text: string): Generator<undefined, Int32Array, undefined> {
    return encodeInSteps(new ByteLevelEncoder(this.#parts), text);
  }

  decode(ids: ArrayLike<number>): string {
    const bytes: number[] = [];
    for (let i = 0; i < ids.length; i++) {
      const id = checkId(ids[i]!, this.#vocabulary);
      const type = this.#vocabulary.types[id];
      if (type === CONTROL || type === UNKNOWN) continue;
      const piece = pieceBytes(this.#vocabulary.pieces, id);
      bytes.push(...(type === USER_DEFINED ? piece : bytesOfPiece(piece)));
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }
}

/** Throws `BAD_MODEL` unless there is a piece for every byte that UTF-8 has. */
function checkBytes({ path }: Vocabulary, table: PieceTable): void {
  for (let byte = 0; byte < 0xf5; byte++) {
    // No sequence begins with those.
    if (byte === 0xc0 || byte === 0xc1) continue;
    const lead = LEADS[byte]!;
    const char = lead === 0 ? [TRAILS[byte]!] : [lead, TRAILS[byte]!];
    if (table.find(Uint8Array.from(char), 0, char.length) >= 0) continue;
    throw badVocabulary(path, KEY.TOKENS, `there is no piece for byte ${byte}`);
  }
}
