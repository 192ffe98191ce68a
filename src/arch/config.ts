import { basename } from "node:path";
import type { GgmlTypeName, GgufFile } from "../gguf/types.ts";
import { modelWarnings } from "../gguf/warnings.ts";
import type { Plan } from "./plan.ts";
import type { ModelConfig } from "./types.ts";

/** What the rest of the house needs to know of a model whose plan is ready. */
export function describeModel(file: GgufFile, plan: Plan, layerCount: number): ModelConfig {
  const { contextLength, hiddenSize, vocabSize, pooling, precision } = plan;
  const tokenLevel = pooling === "none";
  return {
    architecture: file.metadata.requireString("general.architecture"),
    name: file.metadata.getString("general.name") ?? basename(file.path, ".gguf"),
    contextLength,
    hiddenSize,
    embeddingSize: tokenLevel ? hiddenSize : plan.embeddingSize,
    layerCount,
    vocabSize,
    weightType: mostUsedType(plan),
    pooling,
    precision,
    // As sentence-transformers has it: texts on the unit sphere, tokens as they are.
    normalize: !tokenLevel && pooling !== "rank",
    warnings: modelWarnings(file),
  };
}

/** The type that most elements of the multiplied matrices have. */
function mostUsedType(plan: Plan): GgmlTypeName {
  const elements = new Map<GgmlTypeName, number>();
  for (const { kind, parts, rows, columns } of plan.weights) {
    if (kind !== "matrix") continue;
    const { type } = parts[0]!;
    elements.set(type, (elements.get(type) ?? 0) + rows * columns);
  }
  const [most] = [...elements].sort(([, a], [, b]) => b - a);
  return most![0];
}
