import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { KEY, TOKEN_TYPE } from "../tokenizer/vocabulary.ts";

/** A WordPiece vocabulary as Hugging Face states it. */
export interface WordpieceVocabulary {
  /** By id. */
  readonly tokens: readonly string[];
  /** A `TOKEN_TYPE` for each. */
  readonly types: Int32Array;
  readonly special: SpecialTokens;
  readonly lowercase: boolean;
  /** Most models leave it to `lowercase`. */
  readonly stripAccents: boolean;
}

/** Ids. */
export interface SpecialTokens {
  readonly cls: number;
  readonly sep: number;
  readonly unk: number;
  readonly pad: number;
  readonly mask: number;
}

export const CONTINUATION = "##";
const METASPACE = "\u2581";

/**
 * The `tokenizer.ggml.*` entries of a WordPiece model, as llama.cpp's converter writes them, but
 * for `pre`, which says nothing about WordPiece. GGUF marks the pieces that start a word (`▁word`)
 * where WordPiece marks those that continue one (`##ing`).
 */
export function wordpieceMetadata(vocabulary: WordpieceVocabulary): [string, MetadataEntry][] {
  const { tokens, types, special, lowercase, stripAccents } = vocabulary;
  const texts = tokens.map((piece, id) =>
    types[id] === TOKEN_TYPE.NORMAL ? markStart(piece) : piece,
  );
  const accents: [string, MetadataEntry][] =
    stripAccents === lowercase ? [] : [[KEY.STRIP_ACCENTS, value.bool(stripAccents)]];
  return [
    [KEY.MODEL, value.string("bert")],
    [KEY.TOKENS, value.strings(texts)],
    [KEY.TYPES, value.numbers("int32", types)],
    [KEY.BOS, value.uint32(special.cls)],
    [KEY.EOS, value.uint32(special.sep)],
    [KEY.UNKNOWN, value.uint32(special.unk)],
    [KEY.SEPARATOR, value.uint32(special.sep)],
    [KEY.PADDING, value.uint32(special.pad)],
    [KEY.MASK, value.uint32(special.mask)],
    [KEY.ADD_BOS, value.bool(true)],
    [KEY.ADD_EOS, value.bool(true)],
    [KEY.ADD_SEPARATOR, value.bool(false)],
    [KEY.LOWERCASE, value.bool(lowercase)],
    ...accents,
  ];
}

function markStart(piece: string): string {
  const continues = piece.startsWith(CONTINUATION);
  return continues ? piece.slice(CONTINUATION.length) : METASPACE + piece;
}
