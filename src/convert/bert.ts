import { BERT, type BertShape, bertTensors } from "./bert-layout.ts";
import { Checkpoint } from "./checkpoint.ts";
import type { Converter } from "./converter.ts";
import { encoderTokenizerMetadata } from "./encoder-tokenizer.ts";
import type { ModelFolder } from "./folder.ts";
import { takeTensors } from "./layout.ts";
import { poolingMetadata, tokenTypeMetadata } from "./metadata.ts";
import { requireSettings } from "./settings.ts";
import { encoderMetadata } from "./shape.ts";
import type { TensorPlan } from "./tensor.ts";

/** The heads of pre-training and the numbers 0, 1, 2, …: an embedding needs neither. */
const IGNORED_TENSORS = /^(pooler\.|embeddings\.position_ids$|cls\.|lm_head\.)/;

/** `BertModel` of Hugging Face transformers. */
export const bert: Converter = {
  name: BERT,
  classes: ["BertModel", "BertForMaskedLM"],
  async convert(folder) {
    const shape = readBertShape(folder, 0);
    return {
      metadata: [
        ...encoderMetadata(BERT, shape),
        ...poolingMetadata(BERT, folder),
        ...tokenTypeMetadata(shape.tokenTypeCount),
        ...(await encoderTokenizerMetadata(folder, shape.vocabSize)),
      ],
      tensors: takeBertTensors(folder, shape, "bert"),
    };
  },
};

/** Throws `UNSUPPORTED` for a model that differs from BERT in more than its sizes. */
export function readBertShape({ config }: ModelFolder, positionOffset: number): BertShape {
  requireSettings(config, {
    hidden_act: "gelu",
    position_embedding_type: "absolute",
    is_decoder: false,
  });
  return {
    layerCount: config.requireCount("num_hidden_layers"),
    contextLength: config.requireCount("max_position_embeddings") - positionOffset,
    hiddenSize: config.requireCount("hidden_size"),
    ffnSize: config.requireCount("intermediate_size"),
    headCount: config.requireCount("num_attention_heads"),
    tokenTypeCount: config.requireCount("type_vocab_size"),
    vocabSize: config.requireCount("vocab_size"),
    layerNormEpsilon: config.requireNumber("layer_norm_eps"),
    positionOffset,
  };
}

export function takeBertTensors(
  folder: ModelFolder,
  shape: BertShape,
  modelName: string,
): TensorPlan[] {
  const checkpoint = new Checkpoint(folder.weights, modelName);
  const plans = takeTensors(checkpoint, bertTensors(shape));
  checkpoint.finish(IGNORED_TENSORS);
  return plans;
}
