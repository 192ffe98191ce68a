import { invalidArgument } from "../errors.ts";
import { dotProduct, sumOfSquares } from "./dot.ts";
import { componentsOf, encodingOf, type VectorArray, type VectorLike, vectorOf } from "./types.ts";

/**
 * The cosine of the angle between two vectors, from -1 to 1; of vectors of length 1 their dot
 * product. 0 where one of them is all zeros. Scales make no difference to it.
 *
 * It is what `rank` and `topK` find, to the last bit.
 *
 * @throws GgufEmbedError `INVALID_ARGUMENT` where lengths or encodings differ, or a component is
 *   not finite
 */
export function similarity(a: VectorLike, b: VectorLike): number {
  const first = vectorOf(a, "the first vector");
  const second = vectorOf(b, "the second vector");
  checkAlike(second, first, "the second vector", "the first");
  const dot = dotProduct(first, second);
  const squares = sumOfSquares(first) * sumOfSquares(second);
  if (!Number.isFinite(dot)) {
    throw invalidArgument("a component of the vectors is not finite; NaN has no direction");
  }
  if (first instanceof Uint8Array) return dot / componentsOf(first);
  return squares > 0 ? Math.max(-1, Math.min(1, dot / Math.sqrt(squares))) : 0;
}

/** Whether two vectors have the same encoding and length. */
export function isLike(vector: VectorArray, expected: VectorArray): boolean {
  return vector.length === expected.length && encodingOf(vector) === encodingOf(expected);
}

/** Throws unless they have. */
export function checkAlike(
  vector: VectorArray,
  expected: VectorArray,
  name: string,
  nameOfExpected: string,
): void {
  if (isLike(vector, expected)) return;
  const [found, wanted] = [encodingOf(vector), encodingOf(expected)];
  if (found !== wanted) {
    throw invalidArgument(
      `${name} is ${found} and ${nameOfExpected} ${wanted}; encode both alike (encodeVectors)`,
    );
  }
  throw invalidArgument(
    `${name} has ${componentsOf(vector)} dimensions and ${nameOfExpected} ` +
      `${componentsOf(expected)}; compare vectors of one model and one number of dimensions`,
  );
}
