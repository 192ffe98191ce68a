import { fileError, REPAIR } from "../gguf/message.ts";
import { requireTensor } from "../gguf/tensors.ts";
import type { GgufFile, Metadata } from "../gguf/types.ts";
import { badKey, requireAtLeast, unsupportedKey } from "./keys.ts";

/** Limits on what a file may claim: each several times what any known embedding model has. */
const CONTEXT_LENGTH_MAX = 1 << 20;
const HIDDEN_SIZE_MAX = 1 << 14;
const FEED_FORWARD_LENGTH_MAX = 1 << 17;
const LAYERS_MAX = 512;
const HEADS_MAX = 512;
const HEAD_SIZE_MAX = 1024;
const VOCAB_SIZE_MAX = 1 << 22;

/** The sizes of a transformer, checked against each other. */
export interface Hyperparameters {
  /** Tokens. */
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly feedForwardLength: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly headCountKv: number;
  readonly headSize: number;
}

/**
 * Reads the sizes under `<architecture>.`. Throws `BAD_MODEL` that names the key or tensor, and
 * `UNSUPPORTED` for sizes that differ from layer to layer.
 */
export function readHyperparameters(file: GgufFile, architecture: string): Hyperparameters {
  const { metadata } = file;
  refuseUnevenLayers(metadata, architecture);
  const count = (key: string, max: number) =>
    requireAtLeast(metadata, `${architecture}.${key}`, 1, max);
  const contextLength = count("context_length", CONTEXT_LENGTH_MAX);
  const hiddenSize = count("embedding_length", HIDDEN_SIZE_MAX);
  const feedForwardLength = count("feed_forward_length", FEED_FORWARD_LENGTH_MAX);
  const layerCount = count("block_count", LAYERS_MAX);
  const headCount = count("attention.head_count", HEADS_MAX);
  const kvKey = `${architecture}.attention.head_count_kv`;
  const headCountKv = metadata.getCount(kvKey) ?? headCount;
  // A remainder by zero is NaN.
  if (headCount % headCountKv !== 0) {
    throw badKey(metadata, kvKey, `a divisor of the ${headCount} heads`);
  }
  const headSize = readHeadSize(metadata, architecture, hiddenSize, headCount);
  return {
    contextLength,
    vocabSize: readVocabSize(file, hiddenSize),
    hiddenSize,
    feedForwardLength,
    layerCount,
    headCount,
    headCountKv,
    headSize,
  };
}

/** Pruned models and those with experts in some layers may have a size for each layer. */
function refuseUnevenLayers(metadata: Metadata, architecture: string): void {
  for (const size of ["feed_forward_length", "attention.head_count", "attention.head_count_kv"]) {
    const key = `${architecture}.${size}`;
    if (typeof metadata.entries.get(key)?.value !== "object") continue;
    throw unsupportedKey(metadata, key, "one number", "The model's layers differ in size.");
  }
}

/** `key_length`, else hidden / heads. This engine wants values of the same length as keys. */
function readHeadSize(
  metadata: Metadata,
  architecture: string,
  hiddenSize: number,
  headCount: number,
): number {
  const keyLength = `${architecture}.attention.key_length`;
  const valueLength = `${architecture}.attention.value_length`;
  const headSize = metadata.has(keyLength)
    ? requireAtLeast(metadata, keyLength, 1, HEAD_SIZE_MAX)
    : hiddenSize / headCount;
  if (!Number.isInteger(headSize) || headSize > HEAD_SIZE_MAX) {
    const limit = `that leaves heads of at most ${HEAD_SIZE_MAX}`;
    const expected = `a divisor of the hidden size ${hiddenSize} ${limit}`;
    throw badKey(metadata, `${architecture}.attention.head_count`, expected);
  }
  if ((metadata.getCount(valueLength) ?? headSize) !== headSize) {
    throw badKey(metadata, valueLength, `${headSize}, the length of a key`);
  }
  return headSize;
}

/** Rows of the embedding table, which must be as many as the tokenizer has pieces. */
function readVocabSize(file: GgufFile, hiddenSize: number): number {
  const name = "token_embd.weight";
  const rows = requireTensor(file, name, { shape: [hiddenSize, undefined] }).shape[1] ?? 1;
  const pieces = file.metadata.getStrings("tokenizer.ggml.tokens")?.length ?? rows;
  if (pieces !== rows || rows > VOCAB_SIZE_MAX) {
    throw fileError(
      "BAD_MODEL",
      file.path,
      `${name} has ${rows} rows; expected ${pieces}, one a piece of tokenizer.ggml.tokens, and ` +
        `${VOCAB_SIZE_MAX} at most. ${REPAIR}`,
    );
  }
  return rows;
}
