import { Checkpoint } from "./checkpoint.ts";
import type { Converter } from "./converter.ts";
import type { JsonFile } from "./json.ts";
import { layerNorm, matrix, type TensorLayout, takeTensors } from "./layout.ts";
import { poolingMetadata, tokenTypeMetadata } from "./metadata.ts";
import { readRopeTheta, requireCountOf, requireSettings } from "./settings.ts";
import { type EncoderShape, encoderMetadata } from "./shape.ts";
import { wordpieceMetadata } from "./wordpiece.ts";
import { readWordpiece } from "./wordpiece-reader.ts";

const NAME = "nomic-bert";
const IGNORED_TENSORS = /^(pooler\.|cls\.|lm_head\.)/;
/** Tokens that nomic-embed-text v1 and v1.5 were trained with; positions beyond need scaling. */
const TRAINED_POSITIONS = 2048;

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
        ...encoderMetadata(NAME, shape),
        ...poolingMetadata(NAME, folder),
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

function readShape(config: JsonFile): EncoderShape {
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

/** `fc11` is what the activated `fc12` is multiplied with. */
function nomicTensors(shape: EncoderShape): TensorLayout[] {
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
