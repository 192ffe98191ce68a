import { requireTensor } from "../gguf/tensors.ts";
import type { GgufFile } from "../gguf/types.ts";
import { PlanBuilder } from "./builder.ts";
import { describeModel } from "./config.ts";
import { checkRotaryHeads, refuseFeatures } from "./features.ts";
import { type Hyperparameters, readHyperparameters } from "./hyperparameters.ts";
import { requireEpsilon, requireIfPresent } from "./keys.ts";
import type { BufferId } from "./plan.ts";
import { readPooling } from "./pooling.ts";
import { type LayerAttention, readLayerAttention } from "./sliding-window.ts";
import type { Architecture, ArchitectureOptions, Model } from "./types.ts";

const NAME = "gemma-embedding";
const ATTENTION_DEFAULTS = { ropeBaseGlobal: 1e6, ropeBaseLocal: 1e4, pattern: 6 };
/** Projections after pooling, named by their places in the model's `modules.json`. */
const DENSE_LAYERS = ["dense_2", "dense_3"];
/** A language model's head, which some converters copy from the embedding table. */
const IGNORED_TENSORS = ["output.weight"];

/**
 * EmbeddingGemma: a bidirectional Gemma 3 with sliding windows, mean pooling and two dense layers.
 * Source: `Gemma3TextModel` of Hugging Face transformers. The norm weights of a GGUF file already
 * hold Gemma's + 1.
 */
export const gemmaEmbedding: Architecture = { name: NAME, build };

function build(file: GgufFile, options: ArchitectureOptions = {}): Model {
  const { metadata } = file;
  const sizes = readHyperparameters(file, NAME);
  const { contextLength, vocabSize, hiddenSize, layerCount } = sizes;
  refuseFeatures(metadata, NAME, sizes);
  checkRotaryHeads(metadata, NAME, sizes);
  requireIfPresent(metadata, { [`${NAME}.attention.causal`]: false });
  const eps = requireEpsilon(metadata, `${NAME}.attention.layer_norm_rms_epsilon`);
  const pooling = readPooling(file, NAME, options.pooling);
  const layers = readLayerAttention(metadata, NAME, layerCount, ATTENTION_DEFAULTS);

  const plan = new PlanBuilder(file, options.precision);
  const pass: Pass = { ...sizes, eps, plan, ...addBuffers(plan, sizes) };
  const { x } = pass;
  const embeddings = plan.table("token_embd.weight", vocabSize, hiddenSize);
  plan.embed({ table: embeddings, dst: x, scale: Math.sqrt(hiddenSize) });
  for (const [layer, attention] of layers.entries()) {
    addAttention(pass, `blk.${layer}`, attention);
    addFeedForward(pass, `blk.${layer}`);
    plan.endLayer();
  }
  plan.rmsNorm({ src: x, weight: plan.vector("output_norm.weight", hiddenSize), dst: x, eps });

  const pooled = plan.texts(hiddenSize);
  plan.pool({ src: x, dst: pooled, kind: pooling });
  const { embedding, embeddingSize } = addDenseLayers(file, plan, pooled, hiddenSize);
  const about = { contextLength, vocabSize, embeddingSize, hiddenSize, pooling };
  const finished = plan.output(embedding, { ...about, ignoredTensors: IGNORED_TENSORS });
  return { config: describeModel(file, finished, layerCount), plan: finished };
}

interface Pass extends Hyperparameters, ReturnType<typeof addBuffers> {
  readonly plan: PlanBuilder;
  readonly eps: number;
}

/** Every layer uses the same buffers. */
function addBuffers(plan: PlanBuilder, sizes: Hyperparameters) {
  const queryWidth = sizes.headCount * sizes.headSize;
  const keyWidth = sizes.headCountKv * sizes.headSize;
  return {
    x: plan.tokens(sizes.hiddenSize),
    attentionInput: plan.tokens(sizes.hiddenSize),
    feedForwardInput: plan.tokens(sizes.hiddenSize),
    qkv: plan.tokens(queryWidth + 2 * keyWidth),
    keys: plan.keys(keyWidth),
    attended: plan.tokens(queryWidth),
    projected: plan.tokens(sizes.hiddenSize),
    activated: plan.tokens(sizes.feedForwardLength),
  };
}

function addAttention(pass: Pass, block: string, { ropeBase, reach }: LayerAttention): void {
  const { plan, eps, hiddenSize, headCount, headCountKv, headSize } = pass;
  const { x, attentionInput, qkv, keys, attended, projected } = pass;
  const heads = { headCount, headCountKv, headSize };

  const inputNorm = plan.vector(`${block}.attn_norm.weight`, hiddenSize);
  plan.rmsNorm({ src: x, weight: inputNorm, dst: attentionInput, eps });
  const projections = [
    { name: `${block}.attn_q`, rows: headCount * headSize },
    { name: `${block}.attn_k`, rows: headCountKv * headSize },
    // What is wrong in V goes straight into the result, and heads that share V make it few rows.
    { name: `${block}.attn_v`, rows: headCountKv * headSize, fine: true },
  ];
  plan.matmul({ src: attentionInput, parts: projections, dst: qkv });

  const queryNorm = plan.vector(`${block}.attn_q_norm.weight`, headSize);
  const keyNorm = plan.vector(`${block}.attn_k_norm.weight`, headSize);
  const queryScale = 1 / Math.sqrt(headSize);
  plan.prepareHeads({ src: qkv, keys, queryNorm, keyNorm, eps, ...heads, ropeBase, queryScale });
  plan.attention({ src: qkv, keys, dst: attended, ...heads, reach, causal: false });

  const output = { name: `${block}.attn_output`, rows: hiddenSize };
  plan.matmul({ src: attended, parts: [output], dst: projected });
  const postNorm = plan.vector(`${block}.post_attention_norm.weight`, hiddenSize);
  plan.rmsNorm({ src: projected, weight: postNorm, residual: x, dst: x, eps });
}

function addFeedForward(pass: Pass, block: string): void {
  const { plan, eps, hiddenSize, feedForwardLength } = pass;
  const { x, feedForwardInput, activated, projected } = pass;

  const inputNorm = plan.vector(`${block}.ffn_norm.weight`, hiddenSize);
  plan.rmsNorm({ src: x, weight: inputNorm, dst: feedForwardInput, eps });
  const gate = { name: `${block}.ffn_gate`, rows: feedForwardLength };
  const up = { name: `${block}.ffn_up`, rows: feedForwardLength };
  const product = { src: feedForwardInput, parts: [gate, up], dst: activated };
  plan.activatedMatmul({ ...product, kind: "gelu_tanh", gated: true });

  const down = { name: `${block}.ffn_down`, rows: hiddenSize };
  plan.matmul({ src: activated, parts: [down], dst: projected });
  const postNorm = plan.vector(`${block}.post_ffw_norm.weight`, hiddenSize);
  plan.rmsNorm({ src: projected, weight: postNorm, residual: x, dst: x, eps });
}

/**
 * Linear, without bias or activation. A file that lacks them runs; `modelWarnings` says what it
 * lacks.
 */
function addDenseLayers(
  file: GgufFile,
  plan: PlanBuilder,
  pooled: BufferId,
  hiddenSize: number,
): { embedding: BufferId; embeddingSize: number } {
  let embedding = pooled;
  let embeddingSize = hiddenSize;
  for (const name of DENSE_LAYERS) {
    if (!file.tensors.has(`${name}.weight`)) continue;
    requireIfPresent(file.metadata, { [`${NAME}.${name}_feat_in`]: embeddingSize });
    const shape = [embeddingSize, file.metadata.getCount(`${NAME}.${name}_feat_out`)];
    const rows = requireTensor(file, `${name}.weight`, { shape }).shape[1] ?? 1;
    const dst = plan.texts(rows);
    plan.matmul({ src: embedding, parts: [{ name, rows }], dst });
    embedding = dst;
    embeddingSize = rows;
  }
  return { embedding, embeddingSize };
}
