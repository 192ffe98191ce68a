import { findKnownModel, namesIn } from "../known-models.ts";
import type { EmbeddingPooling } from "./pooling-type.ts";
import type { Metadata } from "./types.ts";

/** The pooling of a file that does not say. */
export interface ImpliedPooling {
  readonly pooling: EmbeddingPooling;
  /** The family that it is known from; without one it is what most of its architecture have. */
  readonly family?: string;
}

export function impliedPooling(metadata: Metadata, architecture: string): ImpliedPooling {
  const known = findKnownModel(architecture, namesIn(metadata));
  if (known !== undefined) return { pooling: known.pooling, family: known.family };
  // sentence-transformers takes the mean of what says nothing; of a causal model's tokens only the
  // last has seen all others.
  return { pooling: architecture === "qwen3" ? "last" : "mean" };
}
