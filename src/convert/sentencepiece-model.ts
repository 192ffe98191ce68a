import { fileError } from "../gguf/message.ts";
import { Protobuf } from "./protobuf.ts";

/**
 * A model of SentencePiece. Source: `sentencepiece_model.proto` of google/sentencepiece; the types
 * of its pieces have the numbers that GGUF took over for its tokens.
 */
export interface SentencePieceFile {
  readonly path: string;
  readonly kind: "unigram" | "bpe";
  readonly pieces: readonly Piece[];
  /** The normaliser's rules, compiled; empty for none. */
  readonly charsmap: Uint8Array;
  readonly addsPrefix: boolean;
  readonly removesExtraSpaces: boolean;
}

export interface Piece {
  readonly text: string;
  readonly score: number;
  /** A `TOKEN_TYPE`. */
  readonly type: number;
}

/** The largest public ones have some 5 MB. */
const BYTES_MAX = 128 * 1024 * 1024;
const KINDS: Readonly<Record<number, SentencePieceFile["kind"]>> = { 1: "unigram", 2: "bpe" };
const TYPES_MAX = 6;

/** Throws `BAD_FILE` for a file that is no such model, `UNSUPPORTED` for another kind of it. */
export async function readSentencePieceFile(path: string): Promise<SentencePieceFile> {
  const file = Bun.file(path);
  if (file.size > BYTES_MAX) {
    throw fileError("BAD_FILE", path, `${file.size} bytes, too long for a SentencePiece model`);
  }
  const model = new Protobuf(path, await file.bytes());
  const trainer = model.message(2);
  const normalizer = model.message(3);
  const number = trainer?.number(3) ?? 1;
  const kind = KINDS[number];
  if (kind === undefined) {
    const message = `a SentencePiece model of kind ${number}; expected 1 (unigram) or 2 (BPE)`;
    throw fileError("UNSUPPORTED", path, message);
  }
  return {
    path,
    kind,
    pieces: model.messages(1).map((piece, id) => readPiece(path, piece, id)),
    charsmap: normalizer?.bytes(2) ?? new Uint8Array(0),
    addsPrefix: (normalizer?.number(3) ?? 1) === 1,
    removesExtraSpaces: (normalizer?.number(4) ?? 1) === 1,
  };
}

function readPiece(path: string, piece: Protobuf, id: number): Piece {
  const text = piece.text(1);
  const type = piece.number(3) ?? 1;
  if (text === undefined || type < 1 || type > TYPES_MAX) {
    throw fileError("BAD_FILE", path, `piece ${id} is not one of a SentencePiece model`);
  }
  return { text, score: piece.float(2) ?? 0, type };
}
