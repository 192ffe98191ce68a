import { byteOf } from "./byte-tokens.ts";
import type { SentencePieceModel } from "./sentencepiece-model.ts";
import { checkId, MARK, MARK_BYTES, pieceBytes, TOKEN_TYPE } from "./vocabulary.ts";

const { UNKNOWN, CONTROL, BYTE } = TOKEN_TYPE;

/** The text of a SentencePiece model's ids, without the space that stands before every text. */
export function decodePieces(model: SentencePieceModel, ids: ArrayLike<number>): string {
  const bytes: number[] = [];
  for (let i = 0; i < ids.length; i++) decodeOne(model, checkId(ids[i]!, model.vocabulary), bytes);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  return model.addSpacePrefix && text.startsWith(" ") ? text.slice(1) : text;
}

function decodeOne({ vocabulary }: SentencePieceModel, id: number, bytes: number[]): void {
  const type = vocabulary.types[id];
  if (type === CONTROL || type === UNKNOWN) return;
  if (type === BYTE) bytes.push(byteOf(vocabulary, id));
  else bytes.push(...withSpaces(pieceBytes(vocabulary.pieces, id)));
}

/** The text of a piece. Converters write user-defined tokens with spaces, all others with ▁. */
function withSpaces(piece: Uint8Array): Uint8Array {
  if (!piece.includes(MARK_BYTES[0]!)) return piece;
  return new TextEncoder().encode(new TextDecoder().decode(piece).replaceAll(MARK, " "));
}
