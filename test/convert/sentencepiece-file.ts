/** A SentencePiece model in Protocol Buffers. */
export interface ModelParts {
  readonly pieces: readonly (readonly [text: string, score: number, type: number])[];
  /** 1 is Unigram, 2 is BPE. */
  readonly kind: number;
  readonly charsmap?: Uint8Array;
  readonly addsPrefix: boolean;
}

export function sentencePieceFile(parts: ModelParts): Uint8Array {
  const { kind, charsmap = new Uint8Array(0), addsPrefix } = parts;
  const normalizer = [
    ...field(1, Buffer.from("nmt_nfkc")),
    ...field(2, charsmap),
    ...number(3, addsPrefix ? 1 : 0),
    ...number(4, 1),
  ];
  const pieces = parts.pieces.map(([text, score, type]) => [
    ...field(1, Buffer.from(text)),
    ...[(2 << 3) | 5, ...new Uint8Array(Float32Array.of(score).buffer)],
    ...number(3, type),
  ]);
  return Uint8Array.from([
    ...pieces.flatMap((piece) => field(1, piece)),
    ...field(2, [...number(3, kind), ...number(4, 8000)]),
    ...field(3, normalizer),
  ]);
}

function number(name: number, value: number): number[] {
  return [...varint(name << 3), ...varint(value)];
}

function field(name: number, bytes: ArrayLike<number>): number[] {
  return [...varint((name << 3) | 2), ...varint(bytes.length), ...Array.from(bytes)];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
