import type { GgufFile } from "../gguf/types.ts";
import type { PlanBuilder } from "./builder.ts";
import { describeModel } from "./config.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import type { BufferId, Pooling } from "./plan.ts";
import type { Model } from "./types.ts";

export interface PooledFields {
  /** Hidden states, one row a token. */
  readonly src: BufferId;
  readonly pooling: Pooling;
  /** Names of tensors that a file may hold and the forward pass does not need. */
  readonly ignoredTensors: readonly string[];
}

/** Ends a plan whose embedding is its pooled hidden states and nothing more. */
export function finishPooled(
  file: GgufFile,
  plan: PlanBuilder,
  sizes: Hyperparameters,
  { src, pooling, ignoredTensors }: PooledFields,
): Model {
  const { contextLength, vocabSize, hiddenSize, layerCount } = sizes;
  const pooled = plan.texts(hiddenSize);
  plan.pool({ src, dst: pooled, kind: pooling });
  const about = { contextLength, vocabSize, embeddingSize: hiddenSize, hiddenSize, pooling };
  const finished = plan.output(pooled, { ...about, ignoredTensors });
  return { config: describeModel(file, finished, layerCount), plan: finished };
}
