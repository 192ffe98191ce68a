import { requireTensor } from "../gguf/tensors.ts";
import type { GgufFile } from "../gguf/types.ts";
import type { PlanBuilder } from "./builder.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import type { ActivationKind, BufferId } from "./plan.ts";

/** BERT and its kin: bidirectional, with a LayerNorm after each residual. */
export interface PostNormFields extends Hyperparameters {
  readonly file: GgufFile;
  readonly plan: PlanBuilder;
  readonly eps: number;
  /** Of the tokens. Default 1: all have the first. */
  readonly typeCount?: number;
  /** Base of the rotary embedding; 0 for a model without. */
  readonly ropeBase: number;
  /** Of the feed-forward layers; `ffn_gate` is theirs when they are gated. */
  readonly activation: { readonly kind: ActivationKind; readonly gated: boolean };
  /** Whether the product with this matrix has a bias. */
  readonly hasBias: (name: string) => boolean;
}

/**
 * In the layers after these, V sees 16 bits, where it is a matrix of its own. Of MiniLM's six that
 * is the last, and the one that gives most: a twentieth less error for a percent or two of the
 * time. V of all layers would save a fifth, for five to eight percent.
 */
const COARSE_SHARE = 5 / 6;

interface Pass extends PostNormFields, ReturnType<typeof addBuffers> {
  /** The residual stream. */
  readonly x: BufferId;
}

/**
 * From `x`, which holds the tokens and what tells of their positions: token types, norm and all
 * layers.
 */
export function addPostNormLayers(fields: PostNormFields, x: BufferId): void {
  const pass: Pass = { ...fields, ...addBuffers(fields), x };
  addTokenType(pass);
  addLayerNorm(pass, x, "token_embd_norm");
  const coarse = Math.floor(fields.layerCount * COARSE_SHARE);
  for (let layer = 0; layer < fields.layerCount; layer++) {
    addAttention(pass, `blk.${layer}`, layer >= coarse);
    addFeedForward(pass, `blk.${layer}`);
    fields.plan.endLayer();
  }
}

/** Every layer uses the same buffers. */
function addBuffers({ plan, hiddenSize, feedForwardLength }: PostNormFields) {
  return {
    qkv: plan.tokens(3 * hiddenSize),
    keys: plan.keys(hiddenSize),
    attended: plan.tokens(hiddenSize),
    summed: plan.tokens(hiddenSize),
    activated: plan.tokens(feedForwardLength),
  };
}

/** Texts to embed have token type 0 throughout. XLM-RoBERTa's table has a single row, some none. */
function addTokenType({ file, plan, x, hiddenSize, typeCount = 1 }: Pass): void {
  const name = "token_types.weight";
  if (!file.tensors.has(name)) return;
  const rows = requireTensor(file, name, { shape: [hiddenSize, undefined] }).shape[1] ?? 1;
  const table = plan.table(name, rows, hiddenSize);
  if (typeCount > 1) plan.addType({ table, dst: x });
  else plan.addRow({ table, dst: x, row: 0 });
}

/** @param fine whether V sees its input in 16 bits */
function addAttention(pass: Pass, block: string, fine: boolean): void {
  const { file, plan, eps, hiddenSize, headCount, headCountKv, headSize, ropeBase } = pass;
  const { x, qkv, keys, attended, summed } = pass;
  const heads = { headCount, headCountKv, headSize };

  const isFused = file.tensors.has(`${block}.attn_qkv.weight`);
  const parts = isFused
    ? [{ name: `${block}.attn_qkv`, rows: 3 * hiddenSize }]
    : (["q", "k", "v"] as const).map((part) => ({
        name: `${block}.attn_${part}`,
        rows: hiddenSize,
        fine: fine && part === "v",
      }));
  plan.matmul({ src: x, parts, bias: pass.hasBias(parts[0]!.name), dst: qkv });
  const queryScale = 1 / Math.sqrt(headSize);
  plan.prepareHeads({ src: qkv, keys, eps, ...heads, ropeBase, queryScale });
  plan.attention({ src: qkv, keys, dst: attended, ...heads, reach: 0, causal: false });

  addOutput(pass, { src: attended, name: `${block}.attn_output` });
  addLayerNorm(pass, summed, `${block}.attn_output_norm`);
}

function addFeedForward(pass: Pass, block: string): void {
  const { plan, feedForwardLength: rows, activation, x, activated, summed } = pass;

  const up = { name: `${block}.ffn_up`, rows };
  const parts = activation.gated ? [{ name: `${block}.ffn_gate`, rows }, up] : [up];
  const bias = pass.hasBias(up.name);
  plan.activatedMatmul({ src: x, parts, bias, dst: activated, ...activation });

  addOutput(pass, { src: activated, name: `${block}.ffn_down` });
  addLayerNorm(pass, summed, `${block}.layer_output_norm`);
}

/** What a layer's half gives, on top of the residual stream: not normed yet. */
function addOutput(pass: Pass, { src, name }: { src: BufferId; name: string }): void {
  const { plan, hiddenSize, x, summed } = pass;
  const parts = [{ name, rows: hiddenSize }];
  plan.matmul({ src, parts, bias: pass.hasBias(name), residual: x, dst: summed });
}

/** Into the residual stream. */
function addLayerNorm({ plan, eps, hiddenSize, x }: Pass, src: BufferId, name: string): void {
  const weight = plan.vector(`${name}.weight`, hiddenSize);
  const bias = plan.vector(`${name}.bias`, hiddenSize);
  plan.layerNorm({ src, weight, bias, dst: x, eps });
}
