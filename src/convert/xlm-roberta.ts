import { readBertShape, takeBertTensors } from "./bert.ts";
import { BERT } from "./bert-layout.ts";
import type { Converter } from "./converter.ts";
import { poolingMetadata, tokenTypeMetadata } from "./metadata.ts";
import { encoderMetadata } from "./shape.ts";
import { unigramMetadata } from "./unigram.ts";

/**
 * `XLMRobertaModel` of Hugging Face transformers: BERT, but for its tokenizer, and for a table of
 * positions that begins behind the row for padding. GGUF's begins with the first position.
 */
export const xlmRoberta: Converter = {
  name: BERT,
  classes: ["XLMRobertaModel", "XLMRobertaForMaskedLM"],
  async convert(folder) {
    const padding = folder.config.getCount("pad_token_id") ?? 1;
    const shape = readBertShape(folder, padding + 1);
    return {
      metadata: [
        ...encoderMetadata(BERT, shape),
        ...poolingMetadata(BERT, folder),
        ...tokenTypeMetadata(shape.tokenTypeCount),
        ...(await unigramMetadata(folder, shape.vocabSize)),
      ],
      tensors: takeBertTensors(folder, shape, "roberta"),
    };
  },
};
