import { invalidArgument } from "../errors.ts";
import { modelWarnings } from "../gguf/warnings.ts";
import { convertFolder } from "./index.ts";
import { OUTPUT_TYPES } from "./quantize.ts";

/** A format that `convert` writes matrices in. */
export type ConvertType = "F32" | "F16" | "BF16" | "Q8_0";

/** The formats that `convert` writes. */
export const CONVERT_TYPES: readonly ConvertType[] = OUTPUT_TYPES;

/** How a model is converted. */
export interface ConvertOptions {
  /**
   * Format of the matrices; vectors, and small tables, stay F32. Rows that are no whole blocks of
   * the format become F16.
   *
   * @defaultValue "Q8_0"
   */
  readonly type?: ConvertType | undefined;
  /**
   * What the file calls the model. Prompts of known models are found by it.
   *
   * @defaultValue the name of the folder
   */
  readonly name?: string | undefined;
  /** Stops the work: the promise rejects with the signal's reason, and no file is left. */
  readonly signal?: AbortSignal | undefined;
  /** Called as the file grows. */
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
}

/** How far a conversion is. */
export interface ConvertProgress {
  /** Bytes of the file so far. */
  readonly written: number;
  /** Bytes that it will have. */
  readonly total: number;
}

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
 * what it names say how the model pools. Memory does not grow with the model. The file appears
 * whole or not at all.
 *
 * @throws GgufEmbedError `FILE_NOT_FOUND` for a missing part, `BAD_FILE` for a damaged one,
 *   `BAD_MODEL` for parts that contradict each other, `UNSUPPORTED` for a model that GGUF or this
 *   version cannot hold, `INVALID_ARGUMENT`, and `OUT_OF_RESOURCES` for a full disk
 */
export async function convert(
  directory: string,
  output: string,
  options: ConvertOptions = {},
): Promise<ConvertedModel> {
  const { type, name, signal, onProgress } = options;
  if (type !== undefined && !CONVERT_TYPES.includes(type)) {
    throw invalidArgument(`type is ${String(type)}; expected one of ${CONVERT_TYPES.join(", ")}`);
  }
  const file = await convertFolder(directory, output, {
    type,
    name,
    signal,
    onProgress: onProgress && ((written, total) => onProgress({ written, total })),
  });
  return {
    path: output,
    fileSize: file.fileSize,
    architecture: file.metadata.requireString("general.architecture"),
    name: file.metadata.requireString("general.name"),
    tensorCount: file.tensors.size,
    warnings: modelWarnings(file),
  };
}
