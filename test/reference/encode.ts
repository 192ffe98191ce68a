/**
 * Floats, and Q8_0 as ggml makes it, written from their definitions: the quantiser's floats must be
 * the same, and its Q8_0 may not err more.
 */
import { BLOCK_SIZES } from "../../src/gguf/block-size.ts";
import type { GgmlTypeName } from "../../src/gguf/types.ts";

export type EncodedType = Extract<GgmlTypeName, "F32" | "F16" | "BF16" | "Q8_0">;

type Encoder = (source: Float32Array, target: Uint8Array<ArrayBuffer>) => boolean;

const ENCODERS: Readonly<Record<EncodedType, Encoder>> = {
  F32: encodeF32,
  F16: encodeF16,
  BF16: encodeBf16,
  Q8_0: encodeQ8_0,
};

export const ENCODED_TYPES = Object.keys(ENCODERS) as readonly EncodedType[];

/**
 * The bytes of `values`, which are whole blocks of the format. `undefined` when one of them does
 * not fit: NaN, infinite, or too large for the format.
 */
export function encode(
  type: EncodedType,
  values: Float32Array,
): Uint8Array<ArrayBuffer> | undefined {
  const { elements, bytes } = BLOCK_SIZES[type];
  const target = new Uint8Array((values.length / elements) * bytes);
  return ENCODERS[type](values, target) ? target : undefined;
}

function encodeF32(source: Float32Array, target: Uint8Array<ArrayBuffer>): boolean {
  new Float32Array(target.buffer).set(source);
  return source.every(Number.isFinite);
}

/** Rounds to nearest, ties to even, as the hardware and ggml do. */
function encodeF16(source: Float32Array, target: Uint8Array<ArrayBuffer>): boolean {
  const halves = new Float16Array(target.buffer);
  halves.set(source);
  return halves.every(Number.isFinite);
}

/** Rounds to nearest, ties to even: `ggml_compute_fp32_to_bf16` of ggml. */
function encodeBf16(source: Float32Array, target: Uint8Array<ArrayBuffer>): boolean {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const halves = new Uint16Array(target.buffer);
  const exponent = 0x7f80;
  let finite = true;
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!;
    const half = (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
    halves[i] = half;
    // A NaN may turn into a number here, a large number into infinity.
    finite &&= Number.isFinite(source[i]) && (half & exponent) !== exponent;
  }
  return finite;
}

const { elements: Q8_0_ELEMENTS, bytes: Q8_0_BYTES } = BLOCK_SIZES.Q8_0;
const Q8_0_MAX = 127;

/**
 * Blocks of 32 elements: a float16 scale `d = max|x| / 127`, then the int8 values `round(x / d)`.
 * The same float32 steps as `quantize_row_q8_0_ref` of ggml, so the bytes are the same: the values
 * are divided by the scale *before* it is rounded to float16, by way of its float32 reciprocal, and
 * halves are rounded away from zero.
 */
function encodeQ8_0(source: Float32Array, target: Uint8Array<ArrayBuffer>): boolean {
  const view = new DataView(target.buffer);
  let finite = true;
  for (let start = 0, at = 0; start < source.length; start += Q8_0_ELEMENTS, at += Q8_0_BYTES) {
    // A sum keeps NaN, which a comparison would lose; that of 32 finite floats never overflows.
    let max = 0;
    let sum = 0;
    for (let i = start; i < start + Q8_0_ELEMENTS; i++) {
      const size = Math.abs(source[i]!);
      sum += size;
      if (size > max) max = size;
    }
    const scale = Math.fround(max / Q8_0_MAX);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    view.setFloat16(at, scale, true);
    finite &&= Number.isFinite(sum) && Number.isFinite(view.getFloat16(at, true));
    for (let i = 0; i < Q8_0_ELEMENTS; i++) {
      const scaled = Math.fround(source[start + i]! * inverse);
      target[at + 2 + i] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
    }
  }
  return finite;
}
