import { expect, test } from "bun:test";
import fc from "fast-check";
import { FLOAT32_CHARS_MAX, writeFloat32 } from "../../src/vectors/float32-text.ts";

const bytes = new Uint8Array(FLOAT32_CHARS_MAX);

function print(value: number): string {
  return new TextDecoder().decode(bytes.subarray(0, writeFloat32(bytes, 0, value)));
}

/** The definition, tried from the shortest on: what the fast way must equal. */
function shortest(value: number): string {
  if (Object.is(value, -0)) return "-0";
  for (let precision = 1; precision < 9; precision++) {
    const candidate = Number(value.toPrecision(precision));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });
const component = fc.float({ noNaN: true, min: -10, max: 10 });

test("reads back as the same float32, in as few digits as that takes", () => {
  fc.assert(
    fc.property(fc.oneof(component, float32), (value) => {
      const text = print(value);
      expect(Object.is(Math.fround(JSON.parse(text)), value)).toBe(true);
      expect(text).toBe(shortest(value));
    }),
    { numRuns: 20_000 },
  );
});

test("the neighbours of short decimals come out as short as they can", () => {
  const one = new Float32Array(1);
  const bits = new Int32Array(one.buffer);
  for (let exponent = -8; exponent <= 2; exponent++) {
    for (let digits = 1; digits < 1000; digits++) {
      one[0] = digits * 10 ** exponent;
      const center = bits[0] as number;
      for (let step = -2; step <= 2; step++) {
        bits[0] = center + step;
        const value = one[0] as number;
        if (print(value) !== shortest(value)) expect(print(value)).toBe(shortest(value));
      }
    }
  }
});

test.each([
  [0, "0"],
  [-0, "-0"],
  [1, "1"],
  [-0.5, "-0.5"],
  [Math.fround(0.1), "0.1"],
  [Math.fround(0.01), "0.01"],
  [Math.fround(0.99999994), "0.99999994"],
  [Math.fround(1e-6), "0.000001"],
  [Math.fround(9.9999e-7), "9.9999e-7"],
  [16_777_216, "16777216"],
  [1.401298464324817e-45, "1e-45"],
  [3.4028234663852886e38, "3.4028235e+38"],
])("%d is %s", (value, text) => {
  expect(print(value)).toBe(text);
});

test("writes at the offset and returns the one after it", () => {
  const buffer = new Uint8Array(8).fill(0x2e);
  expect(writeFloat32(buffer, 2, -0.5)).toBe(6);
  expect(new TextDecoder().decode(buffer)).toBe("..-0.5..");
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %d, which JSON cannot hold", (value) => {
  expect(() => print(value)).toThrow("finite");
});
