import { layerNorm, matrix, type TensorLayout, vector } from "./layout.ts";
import type { EncoderShape } from "./shape.ts";

export const BERT = "bert";

/** Sizes of a BERT model. */
export interface BertShape extends EncoderShape {
  /** Rows of the table of positions before the row of the first position. */
  readonly positionOffset: number;
}

/** The tensors in the order of llama.cpp's quantiser: by name within each layer. */
export function bertTensors(shape: BertShape): TensorLayout[] {
  const layers = Array.from({ length: shape.layerCount }, (_, n) =>
    layerTensors(`blk.${n}`, `encoder.layer.${n}`, shape),
  );
  const { hiddenSize, positionOffset, tokenTypeCount } = shape;
  const positions = positionOffset + shape.contextLength;
  return [
    {
      ...matrix("position_embd", "embeddings.position_embeddings", positions, hiddenSize),
      ...(positionOffset === 0 ? {} : { skipRows: positionOffset }),
    },
    matrix("token_embd", "embeddings.word_embeddings", shape.vocabSize, hiddenSize),
    ...layerNorm("token_embd_norm", "embeddings.LayerNorm", hiddenSize),
    matrix("token_types", "embeddings.token_type_embeddings", tokenTypeCount, hiddenSize),
    ...layers.flat(),
  ];
}

function layerTensors(to: string, from: string, shape: BertShape): TensorLayout[] {
  const { hiddenSize: hidden, ffnSize: ffn } = shape;
  return [
    ...linear(`${to}.attn_k`, `${from}.attention.self.key`, hidden, hidden),
    ...linear(`${to}.attn_output`, `${from}.attention.output.dense`, hidden, hidden),
    ...layerNorm(`${to}.attn_output_norm`, `${from}.attention.output.LayerNorm`, hidden),
    ...linear(`${to}.attn_q`, `${from}.attention.self.query`, hidden, hidden),
    ...linear(`${to}.attn_v`, `${from}.attention.self.value`, hidden, hidden),
    ...linear(`${to}.ffn_down`, `${from}.output.dense`, hidden, ffn),
    ...linear(`${to}.ffn_up`, `${from}.intermediate.dense`, ffn, hidden),
    ...layerNorm(`${to}.layer_output_norm`, `${from}.output.LayerNorm`, hidden),
  ];
}

function linear(to: string, from: string, rows: number, columns: number): TensorLayout[] {
  return [vector(`${to}.bias`, `${from}.bias`, rows), matrix(to, from, rows, columns)];
}
