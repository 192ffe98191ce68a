import { requireTensor } from "../gguf/tensors.ts";
import type { GgufFile } from "../gguf/types.ts";
import { PlanBuilder } from "./builder.ts";
import { refuseFeatures, refuseWindow } from "./features.ts";
import { finishPooled } from "./finish.ts";
import { type Hyperparameters, readHyperparameters } from "./hyperparameters.ts";
import { requireEpsilon, requireIfPresent } from "./keys.ts";
import { readModelPooling } from "./pooling.ts";
import { addPostNormLayers } from "./post-norm.ts";
import { finishClassifier } from "./rank.ts";
import type { Architecture, ArchitectureOptions, Model } from "./types.ts";

const NAME = "bert";
/** A reranker's head: unused when a caller's pooling turns such a file into an embedding model. */
const IGNORED_TENSORS = ["cls.weight", "cls.bias", "cls.output.weight", "cls.output.bias"];

/**
 * BERT and its kin (MiniLM, bge, e5, gte, mxbai, XLM-RoBERTa): learned positions, LayerNorm after
 * each residual. Source: `BertModel` and `XLMRobertaModel` of Hugging Face transformers. The latter
 * counts positions from behind its padding token; converters drop the rows before, so that in GGUF
 * the table starts at the first token's row for both.
 */
export const bert: Architecture = { name: NAME, build };

function build(file: GgufFile, options: ArchitectureOptions = {}): Model {
  const { metadata } = file;
  const sizes = readHyperparameters(file, NAME);
  const { contextLength, vocabSize, hiddenSize } = sizes;
  refuseFeatures(metadata, NAME, sizes);
  refuseWindow(metadata, NAME, sizes);
  requireIfPresent(metadata, {
    [`${NAME}.attention.causal`]: false,
    [`${NAME}.attention.head_count_kv`]: sizes.headCount,
    [`${NAME}.attention.key_length`]: hiddenSize / sizes.headCount,
  });
  const eps = requireEpsilon(metadata, `${NAME}.attention.layer_norm_epsilon`);
  const pooling = readModelPooling(file, NAME, options.pooling);

  const plan = new PlanBuilder(file, options.precision);
  const x = plan.tokens(hiddenSize);
  const embeddings = plan.table("token_embd.weight", vocabSize, hiddenSize);
  const positions = plan.table("position_embd.weight", contextLength, hiddenSize);
  plan.embed({ table: embeddings, dst: x, scale: 1 });
  plan.addPosition({ table: positions, dst: x, offset: 0 });
  const activation = { kind: "gelu_erf", gated: false } as const;
  const hasBias = () => true;
  const typeCount = pooling === "rank" ? countTypes(file, sizes) : 1;
  addPostNormLayers({ file, plan, ...sizes, typeCount, eps, ropeBase: 0, activation, hasBias }, x);
  if (pooling === "rank") return finishClassifier(file, plan, sizes, { src: x, typeCount });
  return finishPooled(file, plan, sizes, { src: x, pooling, ignoredTensors: IGNORED_TENSORS });
}

/** Two where the document of a pair has a type of its own; XLM-RoBERTa has one, or no table. */
function countTypes(file: GgufFile, { hiddenSize }: Hyperparameters): number {
  const name = "token_types.weight";
  if (!file.tensors.has(name)) return 1;
  return Math.min(requireTensor(file, name, { shape: [hiddenSize, undefined] }).shape[1] ?? 1, 2);
}
