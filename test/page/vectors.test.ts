import { describe, expect, test } from "bun:test";
import { similarity } from "../../src/index.ts";
import { project } from "../../src/page/pca.ts";
import { SAMPLE, shorten, splitTexts, TEXTS_MAX } from "../../src/page/texts.ts";
import { at, cosines, decodeVector, nearest, rangeOf } from "../../src/page/vectors.ts";

const random = (seed: number) => {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31 - 0.5;
  };
};

function vectors(count: number, width: number): Float32Array[] {
  const next = random(7);
  return Array.from({ length: count }, () => Float32Array.from({ length: width }, next));
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (x, i) => x - b[i]!));

describe("cosines", () => {
  test("are those of the library", () => {
    const rows = vectors(5, 40);
    const matrix = cosines(rows);
    for (const [i, a] of rows.entries()) {
      for (const [j, b] of rows.entries()) {
        expect(at(matrix, i, j)).toBeCloseTo(similarity(a, b), 6);
      }
    }
  });

  test("have a range without the diagonal, and an order", () => {
    const rows = [
      [1, 0],
      [0.8, 0.6],
      [0, 1],
      [0, 0],
    ].map((row) => Float32Array.from(row));
    const matrix = cosines(rows);
    expect(rangeOf(matrix)![1]).toBeCloseTo(0.8, 6);
    expect(nearest(matrix, 0)).toEqual([1, 2, 3]);
    expect(at(matrix, 3, 3)).toBe(0);
    expect(rangeOf(cosines(rows.slice(0, 1)))).toBeUndefined();
  });

  test("are of vectors as the server encodes them", () => {
    const [row] = vectors(1, 9);
    const { buffer } = row!;
    expect(decodeVector(Buffer.from(buffer).toString("base64"))).toEqual(row!);
  });
});

describe("the map", () => {
  test("keeps the distances of points that lie on a plane", () => {
    const next = random(3);
    const [u, v] = vectors(2, 30);
    const flat = Array.from({ length: 12 }, () => {
      const [a, b] = [next() * 3, next()];
      return Float32Array.from(u!, (x, i) => 5 + a * x + b * v![i]!);
    });
    const { points, shares } = project(flat);
    expect(shares[0] + shares[1]).toBeCloseTo(1, 4);
    expect(shares[0]).toBeGreaterThan(shares[1]);
    for (const [i, a] of points.entries()) {
      for (const [j, b] of points.entries()) {
        expect(distance(a, b)).toBeCloseTo(distance(flat[i]!, flat[j]!), 4);
      }
    }
  });

  test("has orthogonal axes, the one with more variance first", () => {
    const { points, shares } = project(vectors(40, 64));
    const along = points.reduce((sum, [x, y]) => sum + x * y, 0);
    const variance = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis] ** 2, 0);
    expect(Math.abs(along)).toBeLessThan(1e-6);
    expect(variance(0)).toBeGreaterThan(variance(1));
    expect(shares[0]).toBeGreaterThan(shares[1]);
  });

  test("of one text, of equal texts and of none is a point, or nothing", () => {
    const [row] = vectors(1, 8);
    expect(project([])).toEqual({ points: [], shares: [0, 0] });
    for (const rows of [[row!], [row!, row!, row!]]) {
      const { points } = project(rows);
      expect(points.flat().every((value) => Math.abs(value) < 1e-6)).toBe(true);
    }
  });
});

describe("texts", () => {
  test("end with a line or with an empty one", () => {
    const typed = "a\r\n\n  b  \nc\n \n\nd";
    expect(splitTexts(typed, "lines").texts).toEqual(["a", "b", "c", "d"]);
    expect(splitTexts(typed, "blocks").texts).toEqual(["a", "b  \nc", "d"]);
    expect(splitTexts(" \n", "blocks")).toEqual({ texts: [], total: 0 });
    expect(splitTexts(SAMPLE, "lines").total).toBe(11);
  });

  test("are as many as a screen shows", () => {
    const { texts, total } = splitTexts("x\n".repeat(TEXTS_MAX + 5), "lines");
    expect([texts.length, total]).toEqual([TEXTS_MAX, TEXTS_MAX + 5]);
  });

  test("are shortened between characters", () => {
    expect(shorten("one\ntwo", 10)).toBe("one two");
    expect(shorten("😀😀😀😀", 3)).toBe("😀😀…");
    expect(shorten("a".repeat(5000), 3)).toBe("aa…");
  });
});
