import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ENCODED_TYPES, encode } from "./encode.ts";

/** A block of 32 with these values first and zeros behind them. */
function block(...values: number[]): Float32Array {
  const elements = new Float32Array(32);
  elements.set(values);
  return elements;
}

function q8(values: Float32Array): { scale: number; quants: number[] } {
  const bytes = encode("Q8_0", values)!;
  const scale = new DataView(bytes.buffer).getFloat16(0, true);
  return { scale, quants: [...new Int8Array(bytes.buffer, 2)] };
}

describe("Q8_0", () => {
  test("the largest value becomes ±127, and halves round away from zero", () => {
    const { scale, quants } = q8(block(127, -127, 2.5, -2.5, 2.4, -2.4, 3.5, -0.5));
    expect(scale).toBe(1);
    expect(quants.slice(0, 9)).toEqual([127, -127, 3, -3, 2, -2, 4, -1, 0]);
  });

  test("values are divided by the scale before it is rounded to float16", () => {
    const { scale, quants } = q8(block(1, 0.5236));
    expect(scale).toBe(Math.f16round(1 / 127));
    expect(Math.round(0.5236 / scale)).toBe(67);
    expect(quants[1]).toBe(66);
  });

  test("a block of zeros is all zero bytes", () => {
    expect(encode("Q8_0", block())).toEqual(new Uint8Array(34));
  });

  test("each block has its own scale", () => {
    const bytes = encode("Q8_0", Float32Array.of(...block(127), ...block(254)))!;
    const view = new DataView(bytes.buffer);
    expect([view.getFloat16(0, true), view.getFloat16(34, true)]).toEqual([1, 2]);
  });

  test("no value is further off than half a step and the rounding of the scale", () => {
    const value = fc.float({ min: -1000, max: 1000, noNaN: true });
    const values = fc.array(value, { minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(values, (numbers) => {
        const elements = Float32Array.from(numbers);
        const { scale, quants } = q8(elements);
        // 11 significant bits, or steps of 2^-24 where float16 runs out of exponents.
        const scaleError = Math.max(scale * 2 ** -11, 2 ** -25);
        const bound = (scale + scaleError) * 0.5001 + 127 * scaleError;
        const errors = quants.map((quant, i) => Math.abs(quant * scale - elements[i]!));
        return Math.max(...errors) <= bound;
      }),
    );
  });
});

test("F16 rounds to nearest, ties to even", () => {
  const step = 2 ** -10;
  const bytes = encode("F16", Float32Array.of(1 + step / 2, 1 + 1.5 * step, -65504, 2 ** -24))!;
  expect([...new Float16Array(bytes.buffer)]).toEqual([1, 1 + 2 * step, -65504, 2 ** -24]);
});

test("BF16 rounds to nearest, ties to even", () => {
  const step = 2 ** -7;
  const bytes = encode(
    "BF16",
    Float32Array.of(1 + step / 2, 1 + 1.5 * step, -2.5, 1 + 0.6 * step),
  )!;
  expect([...new Uint16Array(bytes.buffer)]).toEqual([0x3f80, 0x3f82, 0xc020, 0x3f81]);
});

test("F32 keeps every bit", () => {
  const values = Float32Array.of(1 / 3, -0, 1e-45, 3.4e38);
  expect(new Float32Array(encode("F32", values)!.buffer)).toEqual(values);
});

describe.each(ENCODED_TYPES)("%s", (type) => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "has no encoding for %p",
    (value) => {
      expect(encode(type, block(1, 2, value))).toBeUndefined();
    },
  );
});

test("BF16 knows a NaN whose bits would round to a number", () => {
  const values = new Float32Array(Uint32Array.of(0x7fffffff).buffer);
  expect(encode("BF16", values)).toBeUndefined();
});

test.each([
  ["F16", 65520],
  ["BF16", 3.4e38],
  ["Q8_0", 65520 * 127],
] as const)("%s has no encoding for %d, which is too large", (type, value) => {
  expect(encode(type, block(value))).toBeUndefined();
  expect(encode(type, block(value * 0.99))).toBeDefined();
});
