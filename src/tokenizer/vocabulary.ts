import { GgufEmbedError } from "../errors.ts";
import { fileError, quote, REPAIR } from "../gguf/message.ts";
import type { Metadata, NumberArray, StringArray } from "../gguf/types.ts";

/** Metadata keys. Source: the GGUF specification and gguf-py, `Keys.Tokenizer`. */
export const KEY = {
  MODEL: "tokenizer.ggml.model",
  PRE: "tokenizer.ggml.pre",
  TOKENS: "tokenizer.ggml.tokens",
  TYPES: "tokenizer.ggml.token_type",
  SCORES: "tokenizer.ggml.scores",
  MERGES: "tokenizer.ggml.merges",
  BOS: "tokenizer.ggml.bos_token_id",
  EOS: "tokenizer.ggml.eos_token_id",
  UNKNOWN: "tokenizer.ggml.unknown_token_id",
  PADDING: "tokenizer.ggml.padding_token_id",
  CLS: "tokenizer.ggml.cls_token_id",
  /** Misspelt in the format itself. */
  SEPARATOR: "tokenizer.ggml.seperator_token_id",
  MASK: "tokenizer.ggml.mask_token_id",
  ADD_BOS: "tokenizer.ggml.add_bos_token",
  ADD_EOS: "tokenizer.ggml.add_eos_token",
  ADD_SEPARATOR: "tokenizer.ggml.add_sep_token",
  ADD_SPACE_PREFIX: "tokenizer.ggml.add_space_prefix",
  REMOVE_EXTRA_SPACES: "tokenizer.ggml.remove_extra_whitespaces",
  CHARSMAP: "tokenizer.ggml.precompiled_charsmap",
  LOWERCASE: "tokenizer.ggml.normalizer.lowercase",
  STRIP_ACCENTS: "tokenizer.ggml.normalizer.strip_accents",
} as const;

/** Values of `tokenizer.ggml.token_type`. Source: gguf-py, `TokenType`. */
export const TOKEN_TYPE = {
  UNDEFINED: 0,
  NORMAL: 1,
  UNKNOWN: 2,
  CONTROL: 3,
  USER_DEFINED: 4,
  UNUSED: 5,
  BYTE: 6,
} as const;
const TOKEN_TYPE_MAX = TOKEN_TYPE.BYTE;

/** ▁ (U+2581), which stands for a space in pieces, or for the beginning of a word. */
export const MARK = "\u2581";
export const MARK_BYTES = new TextEncoder().encode(MARK);

/** Is there a ▁ at `bytes[at]`, before `end`? */
export function isMark(bytes: Uint8Array, at: number, end: number): boolean {
  const isFirst = bytes[at] === MARK_BYTES[0] && at + MARK_BYTES.length <= end;
  return isFirst && bytes[at + 1] === MARK_BYTES[1] && bytes[at + 2] === MARK_BYTES[2];
}

/** The largest public vocabularies have 262,144. */
export const PIECES_MAX = 2 ** 21;
/** The longest piece of Gemma 3 has 93; encoding costs time in proportion. */
export const PIECE_BYTES_MAX = 1024;
/** A limit of bytes, and the key of the pieces that it is for. */
export const PIECE_LIMIT = { key: KEY.TOKENS, max: PIECE_BYTES_MAX };

/** What every tokenizer reads from the file, checked against itself. */
export interface Vocabulary {
  readonly path: string;
  readonly pieces: StringArray;
  /** A `TOKEN_TYPE` for each id. */
  readonly types: Uint8Array;
  /** The ids, ascending, whose type is not `NORMAL`: few. */
  readonly others: readonly number[];
}

/**
 * Reads tokens and their types. Where the file has no types, the tokens whose ids are under
 * `controlKeys` are control tokens and all others normal. Throws `BAD_MODEL`.
 */
export function readVocabulary(
  metadata: Metadata,
  controlKeys: readonly string[] = [],
): Vocabulary {
  const { path } = metadata;
  const pieces = metadata.requireStrings(KEY.TOKENS);
  const { length } = pieces;
  if (length === 0 || length > PIECES_MAX) {
    throw badVocabulary(path, KEY.TOKENS, `expected 1 to ${PIECES_MAX} pieces, found ${length}`);
  }
  const types = new Uint8Array(length).fill(TOKEN_TYPE.NORMAL);
  const others: number[] = [];
  const stored = readPerPiece(metadata, KEY.TYPES, length) ?? types.slice();
  if (!metadata.has(KEY.TYPES)) {
    for (const id of controlKeys.map((key) => readTokenId(metadata, length, key))) {
      if (id !== undefined) stored[id] = TOKEN_TYPE.CONTROL;
    }
  }
  for (let id = 0; id < length; id++) {
    if (stored[id] === TOKEN_TYPE.NORMAL) continue;
    const type = Number(stored[id]);
    if (!Number.isInteger(type) || type < 0 || type > TOKEN_TYPE_MAX) {
      const what = `expected 0 to ${TOKEN_TYPE_MAX}, found ${type} for piece ${id}`;
      throw badVocabulary(path, KEY.TYPES, what);
    }
    types[id] = type;
    others.push(id);
  }
  return { path, pieces, types, others };
}

/** An array of numbers with one element for each piece. Throws `BAD_MODEL` for another length. */
export function readPerPiece(
  metadata: Metadata,
  key: string,
  count: number,
): NumberArray["values"] | undefined {
  const array = metadata.getNumbers(key);
  if (array === undefined || array.length === count) return array?.values;
  const what = `expected ${count} elements, as many as tokens, found ${array.length}`;
  throw badVocabulary(metadata.path, key, what);
}

/** The id under `key`, if there is one. Throws `BAD_MODEL` if it is outside the vocabulary. */
export function readTokenId(metadata: Metadata, count: number, key: string): number | undefined {
  const id = metadata.getCount(key);
  if (id === undefined || id < count) return id;
  const what = `id ${id} is outside the vocabulary of ${count} pieces`;
  throw badVocabulary(metadata.path, key, what);
}

/**
 * The token under `key` as what is put before or after every text, if the flag says so. Throws
 * `BAD_MODEL` if there is none then.
 */
export function readAffix(
  metadata: Metadata,
  { pieces }: Vocabulary,
  flag: { readonly key: string; readonly isDefault: boolean },
  key: string,
): readonly number[] {
  const id = readTokenId(metadata, pieces.length, key);
  if (!(metadata.getBoolean(flag.key) ?? flag.isDefault)) return [];
  if (id === undefined) throw missingToken(metadata.path, key, `${flag.key} asks for it`);
  return [id];
}

export function badVocabulary(path: string, key: string, what: string): Error {
  return fileError("BAD_MODEL", path, `metadata key ${quote(key)}: ${what}. ${REPAIR}`);
}

export function missingToken(path: string, key: string, need: string): Error {
  return badVocabulary(path, key, `the key is missing, but ${need}`);
}

export function checkPieceLength(
  path: string,
  length: number,
  { key, max }: { readonly key: string; readonly max: number } = PIECE_LIMIT,
): void {
  if (length <= max) return;
  const what = `a piece has ${length} bytes; the limit is ${max}`;
  throw badVocabulary(path, key, what);
}

/** The bytes of a piece. */
export function pieceBytes({ bytes, starts, ends }: StringArray, id: number): Uint8Array {
  return bytes.subarray(starts[id], ends[id]);
}

/** A caller's id, checked. Throws `INVALID_ARGUMENT`. */
export function checkId(id: number, { pieces }: Vocabulary): number {
  if (Number.isInteger(id) && id >= 0 && id < pieces.length) return id;
  const expected = `expected token ids from 0 to ${pieces.length - 1}`;
  throw new GgufEmbedError("INVALID_ARGUMENT", `decode: ${expected}, found ${id}.`);
}
