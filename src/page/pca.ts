import { dot } from "./vectors.ts";

/** Where texts lie on the plane that keeps most of their variance. */
export interface Plane {
  readonly points: readonly (readonly [x: number, y: number])[];
  /** What part of the variance each axis keeps, 0 to 1. */
  readonly shares: readonly [number, number];
}

const ROUNDS_MAX = 300;
const TOLERANCE = 1e-12;

/**
 * Principal components: eigenvectors of the centred Gram matrix, which is as small as there are
 * texts, by power iteration. The second is kept orthogonal to the first. Signs are such that the
 * largest coordinate of an axis is positive, so that a text more does not turn the map over.
 */
export function project(vectors: readonly Float32Array[]): Plane {
  const size = vectors.length;
  if (size === 0) return { points: [], shares: [0, 0] };
  const gram = centredGram(vectors);
  const total = gram.reduce((sum, row, i) => sum + row[i]!, 0);
  const first = dominant(gram, []);
  const second = dominant(gram, [first.vector]);
  const axes = [first, second].map(({ value, vector }) => {
    const scale = Math.sqrt(Math.max(0, value)) * signOf(vector);
    return vector.map((component) => component * scale);
  });
  const share = (value: number) => (total > TOLERANCE ? Math.max(0, value) / total : 0);
  return {
    points: vectors.map((_, i) => [axes[0]![i]!, axes[1]![i]!]),
    shares: [share(first.value), share(second.value)],
  };
}

function centredGram(vectors: readonly Float32Array[]): readonly Float64Array[] {
  const size = vectors.length;
  const width = vectors[0]!.length;
  const mean = new Float64Array(width);
  for (const vector of vectors) {
    for (let k = 0; k < width; k++) mean[k]! += vector[k]! / size;
  }
  const centred = vectors.map((vector) => Float64Array.from(vector, (x, k) => x - mean[k]!));
  const gram = vectors.map(() => new Float64Array(size));
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const product = dot(centred[i]!, centred[j]!);
      gram[i]![j] = product;
      gram[j]![i] = product;
    }
  }
  return gram;
}

/** The largest eigenvalue and its vector among those orthogonal to `known`. */
function dominant(gram: readonly Float64Array[], known: readonly Float64Array[]) {
  // No direction of texts is like this one by chance, and it is the same every time.
  let vector = Float64Array.from(gram, (_, i) => Math.sin(1 + i * 1.618));
  orthonormalize(vector, known);
  let value = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const next = Float64Array.from(gram, (row) => dot(row, vector));
    value = dot(next, vector);
    if (!orthonormalize(next, known)) return { value: 0, vector: vector.fill(0) };
    const isSettled = Math.abs(1 - Math.abs(dot(next, vector))) < TOLERANCE;
    vector = next;
    if (isSettled) break;
  }
  return { value, vector };
}

/** False where nothing is left of the vector. */
function orthonormalize(vector: Float64Array, known: readonly Float64Array[]): boolean {
  for (const other of known) {
    const along = dot(vector, other);
    for (let i = 0; i < vector.length; i++) vector[i]! -= along * other[i]!;
  }
  const length = Math.sqrt(dot(vector, vector));
  if (length < TOLERANCE) return false;
  for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  return true;
}

function signOf(vector: Float64Array): number {
  let largest = 0;
  for (const component of vector) {
    if (Math.abs(component) > Math.abs(largest)) largest = component;
  }
  return largest < 0 ? -1 : 1;
}
