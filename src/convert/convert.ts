import { modelWarnings } from "../gguf/warnings.ts";
import { type ConvertOptions, convertFolder } from "./index.ts";

export type { ConvertOptions };

/** A model file that `convert` wrote. */
export interface ConvertedModel {
  /** As it was given. */
  readonly path: string;
  /** Bytes. */
  readonly fileSize: number;
  /** `general.architecture`. */
  readonly architecture: string;
  /** `general.name`. */
  readonly name: string;
  /** In the file. */
  readonly tensorCount: number;
  /** What looks wrong in the model without stopping it from running: one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Converts a folder of sentence-transformers or Hugging Face transformers to a GGUF file, which
 * llama.cpp reads too: BERT, XLM-RoBERTa, EmbeddingGemma, Qwen3-Embedding and nomic-bert, with
 * their tokenizer, pooling, dense layers and prompts. It needs config.json, the weights as
 * safetensors (one file, or shards and their index) and the tokenizer's files; modules.json and
 * what it names say how the model pools. The file is the one that `quantize` makes of the model in
 * F32. Memory does not grow with the weights. The file appears whole or not at all; another of its
 * name is replaced.
 *
 * @throws GgufEmbedError `FILE_NOT_FOUND` for a missing part, `BAD_FILE` for a damaged one,
 *   `BAD_MODEL` for parts that contradict each other, `UNSUPPORTED` for a model that GGUF or this
 *   version cannot hold, `NOT_FINITE` for a weight that is infinite, NaN or too large for the
 *   format, `INVALID_ARGUMENT`, and `OUT_OF_RESOURCES` for a full disk
 */
export async function convert(
  directory: string,
  output: string,
  options: ConvertOptions = {},
): Promise<ConvertedModel> {
  const file = await convertFolder(directory, output, options);
  return {
    path: output,
    fileSize: file.fileSize,
    architecture: file.metadata.requireString("general.architecture"),
    name: file.metadata.requireString("general.name"),
    tensorCount: file.tensors.size,
    warnings: modelWarnings(file),
  };
}
