/**
 * The block formats as numbers, written from the structs and comments of `ggml-common.h` in
 * ggml-org/ggml and held to what gguf-py reads (`test/fixtures/blocks.txt`).
 */

/** Reads the block at `at` into `out`, which has as many values as the block. */
type ReadBlock = (view: DataView, at: number, out: Float32Array) => void;

const IQ4_NUMBERS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** 4 bits of column i of 32: the low halves of 16 bytes, then the high ones. */
function nibble(view: DataView, at: number, i: number): number {
  const byte = view.getUint8(at + (i % 16));
  return i < 16 ? byte & 15 : byte >> 4;
}

const half = (view: DataView, at: number) => view.getFloat16(at, true);
const bit = (view: DataView, at: number, i: number) => (view.getUint32(at, true) >>> i) & 1;

/** Of Q4_K and Q5_K, the i-th scale and minimum: 6 bits each. */
function scalesOf(view: DataView, at: number, i: number): [scale: number, minimum: number] {
  const byte = (j: number) => view.getUint8(at + j);
  if (i < 4) return [byte(i) & 63, byte(i + 4) & 63];
  return [
    (byte(i + 4) & 15) | ((byte(i - 4) >> 6) << 4),
    (byte(i + 4) >> 4) | ((byte(i) >> 6) << 4),
  ];
}

/** Of Q3_K, the i-th scale: 6 bits, less 32. */
function signedScale(view: DataView, at: number, i: number): number {
  const low = view.getUint8(at + (i % 8)) >> (i < 8 ? 0 : 4);
  const high = view.getUint8(at + 8 + (i % 4)) >> (2 * Math.floor(i / 4));
  return ((low & 15) | ((high & 3) << 4)) - 32;
}

/** Of the formats with blocks of 256, the parts of a column's place. */
function placeOf(column: number) {
  return {
    /** Of 128, of 64, of 32 and of 16 columns. */
    of128: Math.floor(column / 128),
    of64: Math.floor(column / 64),
    of32: Math.floor(column / 32),
    of16: Math.floor(column / 16),
    /** Within 32. */
    i: column % 32,
  };
}

export const BLOCKS = {
  Q8_0: (view, at, out) => {
    const d = half(view, at);
    for (let i = 0; i < 32; i++) out[i] = d * view.getInt8(at + 2 + i);
  },
  Q4_0: (view, at, out) => {
    const d = half(view, at);
    for (let i = 0; i < 32; i++) out[i] = d * (nibble(view, at + 2, i) - 8);
  },
  Q4_1: (view, at, out) => {
    const [d, m] = [half(view, at), half(view, at + 2)];
    for (let i = 0; i < 32; i++) out[i] = d * nibble(view, at + 4, i) + m;
  },
  Q5_0: (view, at, out) => {
    const d = half(view, at);
    for (let i = 0; i < 32; i++) {
      out[i] = d * (nibble(view, at + 6, i) + 16 * bit(view, at + 2, i) - 16);
    }
  },
  Q5_1: (view, at, out) => {
    const [d, m] = [half(view, at), half(view, at + 2)];
    for (let i = 0; i < 32; i++) {
      out[i] = d * (nibble(view, at + 8, i) + 16 * bit(view, at + 4, i)) + m;
    }
  },
  IQ4_NL: (view, at, out) => {
    const d = half(view, at);
    for (let i = 0; i < 32; i++) out[i] = d * IQ4_NUMBERS[nibble(view, at + 2, i)]!;
  },
  IQ4_XS: (view, at, out) => {
    const d = half(view, at);
    for (let column = 0; column < 256; column++) {
      const { of32, i } = placeOf(column);
      const low = (view.getUint8(at + 4 + (of32 >> 1)) >> (4 * (of32 & 1))) & 15;
      const high = (view.getUint16(at + 2, true) >> (2 * of32)) & 3;
      const number = IQ4_NUMBERS[nibble(view, at + 8 + 16 * of32, i)]!;
      out[column] = d * (low + 16 * high - 32) * number;
    }
  },
  Q2_K: (view, at, out) => {
    const [d, e] = [half(view, at + 80), half(view, at + 82)];
    for (let column = 0; column < 256; column++) {
      const { of128, of32, of16, i } = placeOf(column);
      const pair = view.getUint8(at + of16);
      const q = (view.getUint8(at + 16 + 32 * of128 + i) >> (2 * (of32 % 4))) & 3;
      out[column] = d * (pair & 15) * q - e * (pair >> 4);
    }
  },
  Q3_K: (view, at, out) => {
    const d = half(view, at + 108);
    for (let column = 0; column < 256; column++) {
      const { of128, of32, of16, i } = placeOf(column);
      const low = (view.getUint8(at + 32 + 32 * of128 + i) >> (2 * (of32 % 4))) & 3;
      const high = (view.getUint8(at + i) >> of32) & 1;
      out[column] = d * signedScale(view, at + 96, of16) * (low + 4 * high - 4);
    }
  },
  Q4_K: (view, at, out) => {
    const [d, e] = [half(view, at), half(view, at + 2)];
    for (let column = 0; column < 256; column++) {
      const { of64, of32, i } = placeOf(column);
      const [scale, minimum] = scalesOf(view, at + 4, of32);
      const q = (view.getUint8(at + 16 + 32 * of64 + i) >> (4 * (of32 % 2))) & 15;
      out[column] = d * scale * q - e * minimum;
    }
  },
  Q5_K: (view, at, out) => {
    const [d, e] = [half(view, at), half(view, at + 2)];
    for (let column = 0; column < 256; column++) {
      const { of64, of32, i } = placeOf(column);
      const [scale, minimum] = scalesOf(view, at + 4, of32);
      const low = (view.getUint8(at + 48 + 32 * of64 + i) >> (4 * (of32 % 2))) & 15;
      const high = (view.getUint8(at + 16 + i) >> of32) & 1;
      out[column] = d * scale * (low + 16 * high) - e * minimum;
    }
  },
  Q6_K: (view, at, out) => {
    const d = half(view, at + 208);
    for (let column = 0; column < 256; column++) {
      const { of128, of32, of16, i } = placeOf(column);
      const quarter = of32 % 4;
      const byte = view.getUint8(at + 64 * of128 + 32 * (quarter % 2) + i);
      const low = (byte >> (quarter < 2 ? 0 : 4)) & 15;
      const high = (view.getUint8(at + 128 + 32 * of128 + i) >> (2 * quarter)) & 3;
      out[column] = d * view.getInt8(at + 192 + of16) * (low + 16 * high - 32);
    }
  },
} as const satisfies Readonly<Record<string, ReadBlock>>;

export type BlockType = keyof typeof BLOCKS;

export const BLOCK_TYPES = Object.keys(BLOCKS) as BlockType[];

export function isBlockType(type: string): type is BlockType {
  return Object.hasOwn(BLOCKS, type);
}
