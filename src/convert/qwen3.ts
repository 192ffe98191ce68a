import { fileError } from "../gguf/message.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { byteLevelMetadata } from "./byte-level.ts";
import { Checkpoint } from "./checkpoint.ts";
import type { Converter } from "./converter.ts";
import { decoderMetadata, decoderTensors, readDecoderShape } from "./decoder-layout.ts";
import type { JsonFile } from "./json.ts";
import { takeTensors } from "./layout.ts";
import { poolingMetadata } from "./metadata.ts";
import { readRopeTheta, requireSettings } from "./settings.ts";

const NAME = "qwen3";
/** The head of a language model, which an embedding does not need. */
const IGNORED_TENSORS = /^lm_head\.weight$/;
const NORMS = [
  ["attn_norm", "input_layernorm"],
  ["ffn_norm", "post_attention_layernorm"],
] as const;

/** Qwen3-Embedding: `Qwen3Model` of Hugging Face transformers. */
export const qwen3: Converter = {
  name: NAME,
  classes: ["Qwen3Model", "Qwen3ForCausalLM"],
  async convert(folder) {
    const { config } = folder;
    requireSettings(config, {
      hidden_act: "silu",
      attention_bias: false,
      use_sliding_window: false,
    });
    requireWholeView(config);
    const ropeTheta = readRopeTheta(config, { key: "rope_theta", implied: 10_000 });
    const shape = readDecoderShape(config, ropeTheta);
    const checkpoint = new Checkpoint(folder.weights, "model");
    const tensors = takeTensors(checkpoint, decoderTensors(shape, NORMS));
    checkpoint.finish(IGNORED_TENSORS);
    return {
      metadata: [
        ...decoderMetadata(NAME, shape),
        ...causalMetadata(config),
        ...poolingMetadata(NAME, folder),
        ...byteLevelMetadata(folder, shape.vocabSize),
      ],
      tensors,
    };
  },
};

/** Throws `UNSUPPORTED` for layers with a window. */
function requireWholeView(config: JsonFile): void {
  const types = config.getArray("layer_types") ?? [];
  if (types.every((type) => type === "full_attention")) return;
  const message = `"layer_types": expected "full_attention" for every layer`;
  throw fileError("UNSUPPORTED", config.path, message);
}

/** Models of this kind that were trained to look both ways say so. */
function causalMetadata(config: JsonFile): [string, MetadataEntry][] {
  const causal = config.getBoolean("is_causal") ?? true;
  return causal ? [] : [[`${NAME}.attention.causal`, value.bool(false)]];
}
