import { fileError, quote } from "../gguf/message.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { Checkpoint } from "./checkpoint.ts";
import type { Converter } from "./converter.ts";
import { decoderMetadata, decoderTensors, readDecoderShape } from "./decoder-layout.ts";
import type { ModelFolder } from "./folder.ts";
import { gemmaTokenizerMetadata } from "./gemma-tokenizer.ts";
import type { JsonFile } from "./json.ts";
import { matrix, takeTensors } from "./layout.ts";
import { poolingMetadata } from "./metadata.ts";
import { readRopeTheta, requireSettings } from "./settings.ts";
import type { TensorPlan } from "./tensor.ts";

const NAME = "gemma-embedding";
const IGNORED_TENSORS = /^lm_head\.weight$/;
const NORMS = [
  ["attn_norm", "input_layernorm"],
  ["post_attention_norm", "post_attention_layernorm"],
  ["ffn_norm", "pre_feedforward_layernorm"],
  ["post_ffw_norm", "post_feedforward_layernorm"],
] as const;
/** Gemma's norms multiply by one more than their weight. */
const NORM_PLUS = 1;
/** Every sixth layer sees the whole text, in this architecture. */
const PATTERN = 6;
/** Names of the layers behind pooling, in their order. */
const DENSE = ["dense_2", "dense_3"] as const;

/** EmbeddingGemma: `Gemma3TextModel` of Hugging Face transformers, looking both ways. */
export const gemmaEmbedding: Converter = {
  name: NAME,
  classes: ["Gemma3TextModel"],
  hasDense: true,
  async convert(folder) {
    const { config } = folder;
    requireFixedSettings(config);
    const ropeTheta = readRopeTheta(config, { key: "rope_theta", implied: 1e6 }, "full_attention");
    const shape = readDecoderShape(config, ropeTheta);
    requireSettings(config, { query_pre_attn_scalar: shape.headSize });
    requirePattern(config);
    const checkpoint = new Checkpoint(folder.weights, "model");
    const tensors = takeTensors(checkpoint, decoderTensors(shape, NORMS, NORM_PLUS));
    checkpoint.finish(IGNORED_TENSORS);
    return {
      metadata: [
        ...decoderMetadata(NAME, shape),
        ...localMetadata(config),
        ...poolingMetadata(NAME, folder),
        ...denseMetadata(folder, shape.hiddenSize),
        ...(await gemmaTokenizerMetadata(folder, shape.vocabSize)),
      ],
      tensors: [...tensors, ...denseTensors(folder)],
    };
  },
};

function requireFixedSettings(config: JsonFile): void {
  requireSettings(config, {
    hidden_activation: "gelu_pytorch_tanh",
    attention_bias: false,
    attn_logit_softcapping: null,
  });
  if (config.getBoolean("use_bidirectional_attention") === true) return;
  const message = `"use_bidirectional_attention" is not true: this is a language model that looks`;
  const advice =
    "back only, and GGUF's gemma-embedding looks both ways. Convert an embedding model.";
  throw fileError("UNSUPPORTED", config.path, `${message} ${advice}`);
}

function requirePattern(config: JsonFile): void {
  const key =
    config.getCount("sliding_window_pattern") ?? config.getCount("_sliding_window_pattern");
  const types = config.getArray("layer_types") ?? [];
  const isUsual = types.every(
    (type, i) => type === ((i + 1) % PATTERN === 0 ? "full_attention" : "sliding_attention"),
  );
  if (isUsual && (types.length > 0 || (key ?? PATTERN) === PATTERN)) return;
  const message = `"layer_types": expected every sixth layer, and no other, to see the whole text`;
  throw fileError("UNSUPPORTED", config.path, message);
}

/** Of the layers that see a window. */
function localMetadata(config: JsonFile): [string, MetadataEntry][] {
  const old = { key: "rope_local_base_freq", implied: 1e4 };
  const theta = readRopeTheta(config, old, "sliding_attention");
  return [
    [`${NAME}.attention.sliding_window`, value.uint32(config.requireCount("sliding_window"))],
    [`${NAME}.rope.freq_base_swa`, value.float32(theta)],
  ];
}

function denseMetadata(folder: ModelFolder, hiddenSize: number): [string, MetadataEntry][] {
  const { dense, path } = folder;
  if (dense.length === 0) return [];
  const [first, second] = dense;
  const chain = [first?.inFeatures, second?.outFeatures].every((size) => size === hiddenSize);
  if (dense.length !== DENSE.length || !chain || first?.outFeatures !== second?.inFeatures) {
    const sizes = dense.map(({ inFeatures, outFeatures }) => `${inFeatures} → ${outFeatures}`);
    const expected = `expected two dense layers, from ${hiddenSize} and back to it`;
    throw fileError("UNSUPPORTED", path, `${expected}; found ${quote(sizes.join(", "))}`);
  }
  return dense.flatMap(({ inFeatures, outFeatures }, i): [string, MetadataEntry][] => [
    [`${NAME}.${DENSE[i]}_feat_in`, value.uint32(inFeatures)],
    [`${NAME}.${DENSE[i]}_feat_out`, value.uint32(outFeatures)],
  ]);
}

function denseTensors({ dense }: ModelFolder): TensorPlan[] {
  return dense.flatMap(({ weights, inFeatures, outFeatures }, i) => {
    const checkpoint = new Checkpoint(weights, "model");
    const layout = matrix(DENSE[i]!, "linear", outFeatures, inFeatures);
    const plans = takeTensors(checkpoint, [layout]);
    checkpoint.finish(/^$/);
    return plans;
  });
}
