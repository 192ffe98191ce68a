import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { Checkpoint } from "./checkpoint.ts";
import type { Converter } from "./converter.ts";
import type { ModelFolder } from "./folder.ts";
import type { JsonFile } from "./json.ts";
import { layerNorm, matrix, type TensorLayout, takeTensors } from "./layout.ts";
import { poolingMetadata, tokenTypeMetadata } from "./metadata.ts";
import { readRopeTheta, requireCountOf, requireSettings } from "./settings.ts";
import { wordpieceMetadata } from "./wordpiece.ts";
import { readWordpiece } from "./wordpiece-reader.ts";

const NAME = "nomic-bert";
const IGNORED_TENSORS = /^(pooler\.|cls\.|lm_head\.)/;
/** Tokens that nomic-embed-text v1 and v1.5 were trained with; positions beyond need scaling. */
const TRAINED_POSITIONS = 2048;

interface NomicShape {
  readonly layerCount: number;
  readonly contextLength: number;
  readonly hiddenSize: number;
  readonly ffnSize: number;
  readonly headCount: number;
  readonly tokenTypeCount: number;
  readonly vocabSize: number;
  readonly layerNormEpsilon: number;
  readonly ropeTheta: number;
}

/** `NomicBertModel`, of Hugging Face transformers or of nomic-ai/nomic-bert-2048. */
export const nomicBert: Converter = {
  name: NAME,
  classes: ["NomicBertModel", "NomicBertForPreTraining", "NomicBertForMaskedLM"],
  async convert(folder) {
    requireFixedSettings(folder.config);
    const shape = readShape(folder.config);
    const vocabulary = await readWordpiece(folder, shape.vocabSize);
    const checkpoint = new Checkpoint(folder.weights, "bert");
    const tensors = takeTensors(checkpoint, nomicTensors(shape));
    checkpoint.finish(IGNORED_TENSORS);
    return {
      metadata: [
        ...nomicMetadata(folder, shape),
        ...tokenTypeMetadata(shape.tokenTypeCount),
        ...wordpieceMetadata(vocabulary),
      ],
      tensors,
    };
  },
};

/** The names of nomic-ai's own code, and behind them those of transformers. */
function requireFixedSettings(config: JsonFile): void {
  requireSettings(config, {
    activation_function: "swiglu",
    causal: false,
    moe_every_n_layers: 0,
    prenorm: false,
    qkv_proj_bias: false,
    mlp_fc1_bias: false,
    mlp_fc2_bias: false,
    rotary_emb_fraction: 1,
    rotary_emb_interleaved: false,
    rotary_emb_scale_base: null,
    use_rms_norm: false,
    hidden_act: "silu",
  });
}

function readShape(config: JsonFile): NomicShape {
  const positions = requireCountOf(config, "n_positions", "max_position_embeddings");
  const trained = config.getCount("max_trained_positions") ?? TRAINED_POSITIONS;
  const hiddenSize = requireCountOf(config, "n_embd", "hidden_size");
  return {
    layerCount: requireCountOf(config, "n_layer", "num_hidden_layers"),
    contextLength: Math.min(positions, trained),
    hiddenSize,
    ffnSize: requireCountOf(config, "n_inner", "intermediate_size"),
    headCount: requireCountOf(config, "n_head", "num_attention_heads"),
    tokenTypeCount: config.requireCount("type_vocab_size"),
    vocabSize: config.requireCount("vocab_size"),
    layerNormEpsilon:
      config.getNumber("layer_norm_epsilon") ?? config.requireNumber("layer_norm_eps"),
    ropeTheta: readRopeTheta(config, { key: "rotary_emb_base", implied: 10_000 }),
  };
}

function nomicMetadata(folder: ModelFolder, shape: NomicShape): [string, MetadataEntry][] {
  return [
    [`${NAME}.block_count`, value.uint32(shape.layerCount)],
    [`${NAME}.context_length`, value.uint32(shape.contextLength)],
    [`${NAME}.embedding_length`, value.uint32(shape.hiddenSize)],
    [`${NAME}.feed_forward_length`, value.uint32(shape.ffnSize)],
    [`${NAME}.attention.head_count`, value.uint32(shape.headCount)],
    [`${NAME}.rope.freq_base`, value.float32(shape.ropeTheta)],
    [`${NAME}.attention.layer_norm_epsilon`, value.float32(shape.layerNormEpsilon)],
    [`${NAME}.attention.causal`, value.bool(false)],
    ...poolingMetadata(NAME, folder),
  ];
}

/** `fc11` is what the activated `fc12` is multiplied with. */
function nomicTensors(shape: NomicShape): TensorLayout[] {
  const { hiddenSize: hidden, ffnSize: ffn } = shape;
  const types = matrix(
    "token_types",
    "embeddings.token_type_embeddings",
    shape.tokenTypeCount,
    hidden,
  );
  const layer = (to: string, from: string) => [
    matrix(`${to}.attn_qkv`, `${from}.attn.Wqkv`, 3 * hidden, hidden),
    matrix(`${to}.attn_output`, `${from}.attn.out_proj`, hidden, hidden),
    ...layerNorm(`${to}.attn_output_norm`, `${from}.norm1`, hidden),
    matrix(`${to}.ffn_up`, `${from}.mlp.fc11`, ffn, hidden),
    matrix(`${to}.ffn_gate`, `${from}.mlp.fc12`, ffn, hidden),
    matrix(`${to}.ffn_down`, `${from}.mlp.fc2`, hidden, ffn),
    ...layerNorm(`${to}.layer_output_norm`, `${from}.norm2`, hidden),
  ];
  const layers = Array.from({ length: shape.layerCount }, (_, n) =>
    layer(`blk.${n}`, `encoder.layers.${n}`),
  );
  return [
    matrix("token_embd", "embeddings.word_embeddings", shape.vocabSize, hidden),
    ...layerNorm("token_embd_norm", "emb_ln", hidden),
    // Texts without types have no table.
    ...(shape.tokenTypeCount === 0 ? [] : [types]),
    ...layers.flat(),
  ];
}
