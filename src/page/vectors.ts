/** Vectors of equal length, from little-endian float32 in base64. */
export function decodeVector(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/** A symmetric matrix, row by row. */
export interface Matrix {
  readonly size: number;
  readonly values: Float64Array;
}

/** Cosines of all pairs; 0 where a vector has no direction. */
export function cosines(vectors: readonly Float32Array[]): Matrix {
  const size = vectors.length;
  const values = new Float64Array(size * size);
  const norms = vectors.map((vector) => Math.sqrt(dot(vector, vector)));
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const length = norms[i]! * norms[j]!;
      const cosine = length === 0 ? 0 : dot(vectors[i]!, vectors[j]!) / length;
      values[i * size + j] = cosine;
      values[j * size + i] = cosine;
    }
  }
  return { size, values };
}

export function at({ size, values }: Matrix, row: number, column: number): number {
  return values[row * size + column]!;
}

/** Lowest and highest off the diagonal; undefined where there is but one. */
export function rangeOf(matrix: Matrix): readonly [low: number, high: number] | undefined {
  if (matrix.size < 2) return undefined;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < matrix.size; i++) {
    for (let j = 0; j < i; j++) {
      low = Math.min(low, at(matrix, i, j));
      high = Math.max(high, at(matrix, i, j));
    }
  }
  return [low, high];
}

/** The others of a row, the nearest first; of equals the first first. */
export function nearest(matrix: Matrix, row: number): readonly number[] {
  const others = Array.from({ length: matrix.size }, (_, i) => i).filter((i) => i !== row);
  return others.sort((a, b) => at(matrix, row, b) - at(matrix, row, a) || a - b);
}

/** In float64, as the sum of many small products needs. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
