import { requireTensor } from "../gguf/tensors.ts";
import type { GgufFile } from "../gguf/types.ts";
import { PlanBuilder } from "./builder.ts";
import { describeModel } from "./config.ts";
import { type Hyperparameters, readHyperparameters } from "./hyperparameters.ts";
import { requireEpsilon, requireIfPresent } from "./keys.ts";
import type { BufferId } from "./plan.ts";
import { readPooling } from "./pooling.ts";
import type { Architecture, ArchitectureOptions, Model } from "./types.ts";

const NAME = "bert";
/** A reranker's head: unused when a caller's pooling turns such a file into an embedding model. */
const IGNORED_TENSORS = ["cls.weight", "cls.bias", "cls.output.weight", "cls.output.bias"];

/**
 * BERT and its kin (MiniLM, bge, e5, XLM-RoBERTa): learned positions, LayerNorm after each
 * residual. Source: `BertModel` of Hugging Face transformers.
 */
export const bert: Architecture = { name: NAME, build };

function build(file: GgufFile, options: ArchitectureOptions = {}): Model {
  const { metadata } = file;
  const sizes = readHyperparameters(file, NAME);
  const { contextLength, vocabSize, hiddenSize, layerCount } = sizes;
  requireIfPresent(metadata, {
    [`${NAME}.attention.causal`]: false,
    [`${NAME}.attention.head_count_kv`]: sizes.headCount,
    [`${NAME}.attention.key_length`]: hiddenSize / sizes.headCount,
  });
  const eps = requireEpsilon(metadata, `${NAME}.attention.layer_norm_epsilon`);
  const pooling = readPooling(file, NAME, options.pooling);

  const plan = new PlanBuilder(file, options.precision);
  const pass: Pass = { ...sizes, eps, plan, ...addBuffers(plan, sizes) };
  const { x } = pass;
  const embeddings = plan.table("token_embd.weight", vocabSize, hiddenSize);
  const positions = plan.table("position_embd.weight", contextLength, hiddenSize);
  plan.embed({ table: embeddings, dst: x, scale: 1 });
  plan.addPosition({ table: positions, dst: x, offset: 0 });
  addTokenType(pass, file);
  addLayerNorm(pass, x, "token_embd_norm");
  for (let layer = 0; layer < layerCount; layer++) {
    addAttention(pass, `blk.${layer}`, file.tensors.has(`blk.${layer}.attn_qkv.weight`));
    addFeedForward(pass, `blk.${layer}`);
    plan.endLayer();
  }

  const pooled = plan.texts(hiddenSize);
  plan.pool({ src: x, dst: pooled, kind: pooling });
  const about = { contextLength, vocabSize, embeddingSize: hiddenSize, hiddenSize, pooling };
  const finished = plan.output(pooled, { ...about, ignoredTensors: IGNORED_TENSORS });
  return { config: describeModel(file, finished, layerCount), plan: finished };
}

interface Pass extends Hyperparameters, ReturnType<typeof addBuffers> {
  readonly plan: PlanBuilder;
  readonly eps: number;
}

/** Every layer uses the same buffers. */
function addBuffers(plan: PlanBuilder, { hiddenSize, feedForwardLength }: Hyperparameters) {
  return {
    x: plan.tokens(hiddenSize),
    qkv: plan.tokens(3 * hiddenSize),
    keys: plan.keys(hiddenSize),
    attended: plan.tokens(hiddenSize),
    summed: plan.tokens(hiddenSize),
    activated: plan.tokens(feedForwardLength),
  };
}

/** Texts to embed have token type 0 throughout. XLM-RoBERTa's table has a single row, some none. */
function addTokenType({ plan, x, hiddenSize }: Pass, file: GgufFile): void {
  const name = "token_types.weight";
  if (!file.tensors.has(name)) return;
  const rows = requireTensor(file, name, { shape: [hiddenSize, undefined] }).shape[1] ?? 1;
  plan.addRow({ table: plan.table(name, rows, hiddenSize), dst: x, row: 0 });
}

function addAttention(pass: Pass, block: string, isFused: boolean): void {
  const { plan, eps, hiddenSize, headCount, headCountKv, headSize } = pass;
  const { x, qkv, keys, attended, summed } = pass;
  const heads = { headCount, headCountKv, headSize };

  const separate = ["q", "k", "v"].map((part) => ({
    name: `${block}.attn_${part}`,
    rows: hiddenSize,
  }));
  const fused = [{ name: `${block}.attn_qkv`, rows: 3 * hiddenSize }];
  plan.matmul({ src: x, parts: isFused ? fused : separate, bias: true, dst: qkv });
  const queryScale = 1 / Math.sqrt(headSize);
  plan.prepareHeads({ src: qkv, keys, eps, ...heads, ropeBase: 0, queryScale });
  plan.attention({ src: qkv, keys, dst: attended, ...heads, reach: 0, causal: false });

  const output = { name: `${block}.attn_output`, rows: hiddenSize };
  plan.matmul({ src: attended, parts: [output], bias: true, residual: x, dst: summed });
  addLayerNorm(pass, summed, `${block}.attn_output_norm`);
}

function addFeedForward(pass: Pass, block: string): void {
  const { plan, hiddenSize, feedForwardLength, x, activated, summed } = pass;

  const parts = [{ name: `${block}.ffn_up`, rows: feedForwardLength }];
  const gelu = { kind: "gelu_erf", gated: false } as const;
  plan.activatedMatmul({ src: x, parts, bias: true, dst: activated, ...gelu });

  const down = { name: `${block}.ffn_down`, rows: hiddenSize };
  plan.matmul({ src: activated, parts: [down], bias: true, residual: x, dst: summed });
  addLayerNorm(pass, summed, `${block}.layer_output_norm`);
}

/** Into `x`, the residual stream. */
function addLayerNorm({ plan, eps, hiddenSize, x }: Pass, src: BufferId, name: string): void {
  const weight = plan.vector(`${name}.weight`, hiddenSize);
  const bias = plan.vector(`${name}.bias`, hiddenSize);
  plan.layerNorm({ src, weight, bias, dst: x, eps });
}
