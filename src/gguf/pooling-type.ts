/**
 * Names of the numbers that `<architecture>.pooling_type` stores.
 * Source: `enum llama_pooling_type` of llama.cpp.
 */
export const POOLING_TYPES = ["none", "mean", "cls", "last", "rank"] as const;

export type PoolingType = (typeof POOLING_TYPES)[number];

/** What the models of an architecture were trained with, for files that do not say. */
export function impliedPooling(architecture: string): Exclude<PoolingType, "rank"> {
  // sentence-transformers takes the mean of what says nothing; causal models end in all they know.
  return architecture === "qwen3" ? "last" : "mean";
}
