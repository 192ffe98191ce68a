/** What the forward passes in float64 have in common. */
import { add, dot, scale, softmax } from "./math.ts";

export interface ReferenceOutput {
  /** For each layer the hidden states after it, one vector a token. */
  readonly layers: readonly (readonly Float64Array[])[];
  /** One vector a token, before pooling. */
  readonly tokens: readonly Float64Array[];
  /** Pooled, through the dense layers, L2-normalised. */
  readonly embedding: Float64Array;
}

/** Softmax attention, `[token][head]`; each K and V head serves `share` Q heads. */
export function attend(
  q: Float64Array[][],
  k: Float64Array[][],
  v: Float64Array[][],
  share: number,
  isVisible: (i: number, j: number) => boolean,
): Float64Array[] {
  const size = q[0]![0]!.length;
  return q.map((heads, i) => {
    const seen = k.map((_, j) => j).filter((j) => isVisible(i, j));
    const row = new Float64Array(heads.length * size);
    for (const [h, head] of heads.entries()) {
      const group = Math.floor(h / share);
      const scores = seen.map((j) => dot(head, k[j]![group]!) / Math.sqrt(size));
      const weights = softmax(Float64Array.from(scores));
      for (const [n, j] of seen.entries()) {
        const value = v[j]![group]!;
        for (let c = 0; c < size; c++) row[h * size + c]! += weights[n]! * value[c]!;
      }
    }
    return row;
  });
}

export function splitHeads(row: Float64Array, size: number): Float64Array[] {
  return Array.from({ length: row.length / size }, (_, h) => row.slice(h * size, (h + 1) * size));
}

/** `pooling_type` 0 to 3; token-level models (0) and files that say nothing get the mean. */
export function pool(tokens: readonly Float64Array[], type = 1): Float64Array {
  if (type === 2) return tokens[0]!;
  if (type === 3) return tokens.at(-1)!;
  return scale(tokens.reduce(add, new Float64Array(tokens[0]!.length)), 1 / tokens.length);
}
