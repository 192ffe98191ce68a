import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeVector, encodeVectors } from "../../src/vectors/encode.ts";
import { thrown } from "../gguf/rejection.ts";
import { Random } from "../reference/random.ts";

const RUNS = { numRuns: 300 };
const components = (length: fc.ArrayConstraints = {}) =>
  fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, ...length });
/** Rows of eight, for all encodings. */
const matrices = components({ maxLength: 6 }).chain((heads) =>
  fc
    .array(components({ minLength: 8, maxLength: 8 }), {
      minLength: heads.length,
      maxLength: heads.length,
    })
    .map((rows) => Float32Array.from(rows.flat())),
);

function squaredError(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
}

describe("int8", () => {
  test("rounds half to even, and the largest becomes ±127", () => {
    const row = Float32Array.of(-127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.4);
    const { data, dimensions, scales } = encodeVectors(row, 8, "int8");
    expect(data).toEqual(Int8Array.of(-127, 0, 2, 2, 0, -2, -2, 126));
    expect(dimensions).toBe(8);
    expect(scales).toEqual(Float32Array.of(1));
  });

  test("each row has its own scale, which half of bounds the error", () => {
    const check = (matrix: Float32Array) => {
      const { data, scales } = encodeVectors(matrix, 8, "int8");
      for (const [row, scale] of scales.entries()) {
        const expected = matrix.subarray(row * 8, row * 8 + 8);
        const largest = Math.max(...expected.map(Math.abs));
        expect(scale).toBe(Math.fround(largest / 127));
        const q = data.subarray(row * 8, row * 8 + 8);
        if (largest <= 1e-36) {
          expect(q).toEqual(new Int8Array(8));
          continue;
        }
        expect(Math.max(...q.map(Math.abs))).toBe(127);
        // And what rounding the scale, its inverse and products in float32 adds.
        const bound = (0.5 + 1e-4) * largest;
        for (const [i, x] of expected.entries()) {
          expect(Math.abs(x * 127 - q[i]! * largest)).toBeLessThanOrEqual(bound);
        }
      }
    };
    fc.assert(fc.property(matrices, check), RUNS);
  });

  test("a vector comes back from its own bytes alike, and from its scale", () => {
    const matrix = new Random(1).values(96 * 3, 0, 1);
    const { data, scales } = encodeVectors(matrix, 96, "int8");
    const back = decodeVector(data.subarray(96, 192), scales[1]);
    expect(back).toEqual(Float32Array.from(data.subarray(96, 192), (q) => q * scales[1]!));
    const again = encodeVectors(back, 96, "int8");
    expect(again.data).toEqual(data.subarray(96, 192));
  });
});

describe("binary", () => {
  test("packs as numpy.packbits does: the first component is the highest bit, zero is none", () => {
    const row = Float32Array.of(1, -1, 0, 2, -0, -3, 1e-40, 1, -1, -1, -1, -1, -1, -1, -1, 5);
    const { data, scales } = encodeVectors(row, 16, "binary");
    expect(data).toEqual(Uint8Array.of(0b1001_0011, 0b0000_0001));
    expect(scales).toEqual(Float32Array.of(20 / 16));
  });

  test("no other scale of the signs has a smaller squared error", () => {
    const check = (matrix: Float32Array, factor: number) => {
      const row = matrix.subarray(0, 8);
      const { data, scales } = encodeVectors(row, 8, "binary");
      const best = squaredError(row, decodeVector(data, scales[0]));
      const other = squaredError(row, decodeVector(data, scales[0]! * factor));
      // A scale is float32: it may be off by half an ulp, which counts for nothing beside 1e-6.
      expect(best).toBeLessThanOrEqual(other * (1 + 1e-12));
    };
    const below = fc.double({ min: 0, max: 1 - 1e-6, noNaN: true });
    const above = fc.double({ min: 1 + 1e-6, max: 2, noNaN: true });
    const rows = fc.float({ min: -1e9, max: 1e9, noNaN: true });
    const matrix = fc.array(rows, { minLength: 8, maxLength: 8 }).map((x) => Float32Array.from(x));
    fc.assert(fc.property(matrix, fc.oneof(below, above), check), RUNS);
  });

  test("decodes to ±scale, and encodes to the same bits again", () => {
    const check = (matrix: Float32Array) => {
      const { data } = encodeVectors(matrix, 8, "binary");
      const decoded = decodeVector(data, 0.5);
      expect(decoded).toEqual(Float32Array.from(matrix, (x) => (x > 0 ? 0.5 : -0.5)));
      expect(encodeVectors(decoded, 8, "binary").data).toEqual(data);
    };
    fc.assert(fc.property(matrices, check), RUNS);
  });
});

describe("what cannot be encoded is refused:", () => {
  const matrix = new Float32Array(32);
  const bad = Float32Array.from(matrix);
  bad[21] = Number.NaN;
  const cases: [name: string, run: () => unknown, message: string][] = [
    ["a part of a row", () => encodeVectors(matrix, 7, "int8"), "32 numbers are no whole number"],
    ["no dimensions", () => encodeVectors(matrix, 0, "int8"), "dimensions is 0"],
    ["half a dimension", () => encodeVectors(matrix, 0.5, "int8"), "dimensions is 0.5"],
    ["bits left over", () => encodeVectors(matrix, 4, "binary"), "must be a multiple of 8"],
    ["NaN in int8", () => encodeVectors(bad, 16, "int8"), "vector 1 is not finite: component 5"],
    ["NaN in binary", () => encodeVectors(bad, 16, "binary"), "component 5 is NaN"],
    [
      "infinity",
      () => encodeVectors(Float32Array.of(0, Number.NEGATIVE_INFINITY), 2, "int8"),
      "component 1 is -Infinity",
    ],
    [
      "another array",
      () => encodeVectors([1, 2] as unknown as Float32Array, 2, "int8"),
      "must be a Float32Array",
    ],
    [
      "another encoding",
      () => encodeVectors(matrix, 8, "float32" as "int8"),
      'the encoding is "float32"',
    ],
    ["decoding floats", () => decodeVector(matrix as unknown as Int8Array), "Int8Array or"],
    ["a scale that is no number", () => decodeVector(Int8Array.of(1), Number.NaN), "scale is NaN"],
  ];
  test.each(cases)("%s", (_, run, message) => {
    const error = thrown(run);
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toContain(message);
  });

  test("but no vectors at all are fine", () => {
    const { data, scales } = encodeVectors(new Float32Array(0), 8, "binary");
    expect([data.length, scales.length]).toEqual([0, 0]);
  });
});
