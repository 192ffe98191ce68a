/**
 * The characters that stand for bytes in the pieces of byte-level BPE, so that a vocabulary holds
 * neither white space nor control characters: printable bytes of Latin-1 stand for themselves, all
 * others, in their order, for U+0100 and up (`bytes_to_unicode` of GPT-2). A space is Ġ.
 */
const CODE_POINTS = new Uint16Array(256);
let others = 0x100;
for (let byte = 0; byte < 256; byte++) {
  const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  CODE_POINTS[byte] = isPrintable ? byte : others++;
}

/** The characters in UTF-8, two bytes at most: the first byte is 0 where there is but one. */
export const LEADS = new Uint8Array(256);
export const TRAILS = new Uint8Array(256);
/** The byte of each character, -1 where a character is of no byte. */
const BYTES = new Int16Array(others).fill(-1);
for (const [byte, codePoint] of CODE_POINTS.entries()) {
  BYTES[codePoint] = byte;
  LEADS[byte] = codePoint < 0x80 ? 0 : 0xc0 | (codePoint >> 6);
  TRAILS[byte] = codePoint < 0x80 ? codePoint : 0x80 | (codePoint & 0x3f);
}

/** The character that stands for `byte`. */
export function characterOf(byte: number): string {
  return String.fromCodePoint(CODE_POINTS[byte]!);
}

/** The bytes that `piece` stands for; a piece with any other character stands for itself. */
export function bytesOfPiece(piece: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(piece.length);
  let length = 0;
  for (const char of new TextDecoder("utf-8", { ignoreBOM: true }).decode(piece)) {
    const byte = BYTES[char.codePointAt(0)!] ?? -1;
    if (byte < 0) return piece;
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}
