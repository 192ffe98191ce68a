import type { RerankerKind } from "../arch/types.ts";

/** A pair's relevance, and what the model itself says of it. */
export interface Score {
  /** From 0 to 1. */
  readonly score: number;
  readonly raw: number;
}

/** Of what a reranker's head gave for a pair. */
export function scoreOf(kind: RerankerKind, logits: Float32Array): Score {
  if (kind === "classifier") return { score: sigmoid(logits[0]!), raw: logits[0]! };
  // Softmax over yes and no: what is left of it for yes.
  const yes = sigmoid(logits[0]! - logits[1]!);
  return { score: yes, raw: yes };
}

/** Best first; equals in the order of the input. */
export function byScore(
  a: Score & { readonly index: number },
  b: Score & { readonly index: number },
): number {
  // Of logits far from zero the sigmoids are equal.
  return b.raw - a.raw || a.index - b.index;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
