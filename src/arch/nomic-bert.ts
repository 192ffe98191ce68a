import type { GgufFile } from "../gguf/types.ts";
import { PlanBuilder } from "./builder.ts";
import { checkRotaryHeads, refuseFeatures, refuseWindow } from "./features.ts";
import { finishPooled } from "./finish.ts";
import { readHyperparameters } from "./hyperparameters.ts";
import { readRopeBase, requireEpsilon, requireIfPresent } from "./keys.ts";
import { readPooling } from "./pooling.ts";
import { addPostNormLayers } from "./post-norm.ts";
import type { Architecture, ArchitectureOptions, Model } from "./types.ts";

const NAME = "nomic-bert";
/** `rotary_emb_base` of `NomicBertConfig`; files of nomic-embed-text say 1,000. */
const ROPE_BASE = 10_000;

/**
 * BERT with rotary positions and SwiGLU (nomic-embed-text v1 and v1.5). Source: `NomicBertModel` of
 * nomic-ai/nomic-bert-2048. Those models have no biases but in their norms; others of their kind
 * may.
 */
export const nomicBert: Architecture = { name: NAME, build };

function build(file: GgufFile, options: ArchitectureOptions = {}): Model {
  const { metadata } = file;
  const sizes = readHyperparameters(file, NAME);
  refuseFeatures(metadata, NAME, sizes);
  refuseWindow(metadata, NAME, sizes);
  checkRotaryHeads(metadata, NAME, sizes);
  requireIfPresent(metadata, {
    [`${NAME}.attention.causal`]: false,
    [`${NAME}.attention.head_count_kv`]: sizes.headCount,
    [`${NAME}.attention.key_length`]: sizes.hiddenSize / sizes.headCount,
  });
  const eps = requireEpsilon(metadata, `${NAME}.attention.layer_norm_epsilon`);
  const ropeBase = readRopeBase(metadata, `${NAME}.rope.freq_base`, ROPE_BASE);
  const pooling = readPooling(file, NAME, options.pooling);

  const plan = new PlanBuilder(file, options.precision);
  const x = plan.tokens(sizes.hiddenSize);
  const embeddings = plan.table("token_embd.weight", sizes.vocabSize, sizes.hiddenSize);
  plan.embed({ table: embeddings, dst: x, scale: 1 });
  const activation = { kind: "silu", gated: true } as const;
  const hasBias = (name: string) => file.tensors.has(`${name}.bias`);
  addPostNormLayers({ file, plan, ...sizes, eps, ropeBase, activation, hasBias }, x);
  return finishPooled(file, plan, sizes, { src: x, pooling, ignoredTensors: [] });
}
