/**
 * Names of the numbers that `<architecture>.pooling_type` stores.
 * Source: `enum llama_pooling_type` of llama.cpp.
 */
export const POOLING_TYPES = ["none", "mean", "cls", "last", "rank"] as const;

export type PoolingType = (typeof POOLING_TYPES)[number];
/** Those that give vectors. */
export type EmbeddingPooling = Exclude<PoolingType, "rank">;

/** For sentences: "… pooling". */
export const POOLING_WORDS: Readonly<Record<PoolingType, string>> = {
  none: "no",
  mean: "mean",
  cls: "CLS",
  last: "last-token",
  rank: "rank",
};
