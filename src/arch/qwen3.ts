import type { GgufFile } from "../gguf/types.ts";
import { PlanBuilder } from "./builder.ts";
import { checkRotaryHeads, refuseFeatures, refuseWindow } from "./features.ts";
import { finishPooled } from "./finish.ts";
import { type Hyperparameters, readHyperparameters } from "./hyperparameters.ts";
import { readRopeBase, requireEpsilon } from "./keys.ts";
import { readModelPooling } from "./pooling.ts";
import { finishJudge } from "./rank.ts";
import type { Architecture, ArchitectureOptions, Model } from "./types.ts";

const NAME = "qwen3";
/** `rope_theta` of `Qwen3Config`; files of Qwen3-Embedding say 1,000,000. */
const ROPE_BASE = 10_000;
/** The heads of a language model and of a reranker. */
const IGNORED_TENSORS = ["output.weight", "cls.output.weight"];

/**
 * Qwen3-Embedding: a Qwen3 language model whose last token's hidden state is the embedding. Source:
 * `Qwen3Model` of Hugging Face transformers. Models of this kind that were trained to look both
 * ways say so with `attention.causal`.
 */
export const qwen3: Architecture = { name: NAME, build };

function build(file: GgufFile, options: ArchitectureOptions = {}): Model {
  const { metadata } = file;
  const sizes = readHyperparameters(file, NAME);
  const { vocabSize, hiddenSize, layerCount } = sizes;
  refuseFeatures(metadata, NAME, sizes);
  refuseWindow(metadata, NAME, sizes);
  checkRotaryHeads(metadata, NAME, sizes);
  const eps = requireEpsilon(metadata, `${NAME}.attention.layer_norm_rms_epsilon`);
  const ropeBase = readRopeBase(metadata, `${NAME}.rope.freq_base`, ROPE_BASE);
  const causal = metadata.getBoolean(`${NAME}.attention.causal`) ?? true;
  const pooling = readModelPooling(file, NAME, options.pooling);

  const plan = new PlanBuilder(file, options.precision);
  const pass: Pass = { ...sizes, eps, ropeBase, causal, plan, ...addBuffers(plan, sizes) };
  const { x } = pass;
  const embeddings = plan.table("token_embd.weight", vocabSize, hiddenSize);
  plan.embed({ table: embeddings, dst: x, scale: 1 });
  for (let layer = 0; layer < layerCount; layer++) {
    addAttention(pass, `blk.${layer}`);
    addFeedForward(pass, `blk.${layer}`);
    plan.endLayer();
  }
  plan.rmsNorm({ src: x, weight: plan.vector("output_norm.weight", hiddenSize), dst: x, eps });
  if (pooling === "rank") return finishJudge(file, plan, sizes, x);
  return finishPooled(file, plan, sizes, { src: x, pooling, ignoredTensors: IGNORED_TENSORS });
}

interface Pass extends Hyperparameters, ReturnType<typeof addBuffers> {
  readonly plan: PlanBuilder;
  readonly eps: number;
  readonly ropeBase: number;
  readonly causal: boolean;
}

/** Every layer uses the same buffers. */
function addBuffers(plan: PlanBuilder, sizes: Hyperparameters) {
  const queryWidth = sizes.headCount * sizes.headSize;
  const keyWidth = sizes.headCountKv * sizes.headSize;
  return {
    x: plan.tokens(sizes.hiddenSize),
    normed: plan.tokens(sizes.hiddenSize),
    qkv: plan.tokens(queryWidth + 2 * keyWidth),
    keys: plan.keys(keyWidth),
    attended: plan.tokens(queryWidth),
    activated: plan.tokens(sizes.feedForwardLength),
  };
}

function addAttention(pass: Pass, block: string): void {
  const { plan, eps, ropeBase, causal, hiddenSize, headCount, headCountKv, headSize } = pass;
  const { x, normed, qkv, keys, attended } = pass;
  const heads = { headCount, headCountKv, headSize };

  const norm = plan.vector(`${block}.attn_norm.weight`, hiddenSize);
  plan.rmsNorm({ src: x, weight: norm, dst: normed, eps });
  const projections = [
    { name: `${block}.attn_q`, rows: headCount * headSize },
    { name: `${block}.attn_k`, rows: headCountKv * headSize },
    // What is wrong in V goes straight into the result, and heads that share V make it few rows.
    { name: `${block}.attn_v`, rows: headCountKv * headSize, fine: true },
  ];
  plan.matmul({ src: normed, parts: projections, dst: qkv });

  const queryNorm = plan.vector(`${block}.attn_q_norm.weight`, headSize);
  const keyNorm = plan.vector(`${block}.attn_k_norm.weight`, headSize);
  const queryScale = 1 / Math.sqrt(headSize);
  plan.prepareHeads({ src: qkv, keys, queryNorm, keyNorm, eps, ...heads, ropeBase, queryScale });
  plan.attention({ src: qkv, keys, dst: attended, ...heads, reach: 0, causal });

  const output = { name: `${block}.attn_output`, rows: hiddenSize };
  plan.matmul({ src: attended, parts: [output], residual: x, dst: x });
}

function addFeedForward(pass: Pass, block: string): void {
  const { plan, eps, hiddenSize, feedForwardLength: rows, x, normed, activated } = pass;

  const norm = plan.vector(`${block}.ffn_norm.weight`, hiddenSize);
  plan.rmsNorm({ src: x, weight: norm, dst: normed, eps });
  const parts = ["gate", "up"].map((part) => ({ name: `${block}.ffn_${part}`, rows }));
  plan.activatedMatmul({ src: normed, parts, dst: activated, kind: "silu", gated: true });

  const down = { name: `${block}.ffn_down`, rows: hiddenSize };
  plan.matmul({ src: activated, parts: [down], residual: x, dst: x });
}
