import { fileError, quote } from "../gguf/message.ts";
import type { Metadata } from "../gguf/types.ts";
import { createByteLevel } from "./byte-level.ts";
import { createSentencePiece } from "./sentencepiece.ts";
import type { Tokenizer } from "./types.ts";
import { createUnigram } from "./unigram.ts";
import { KEY } from "./vocabulary.ts";
import { createWordPiece } from "./wordpiece.ts";

/** By `tokenizer.ggml.model`. A tokenizer is a file of its own and a row here. */
const TOKENIZERS: ReadonlyMap<string, (metadata: Metadata) => Tokenizer> = new Map([
  ["llama", createSentencePiece],
  ["bert", createWordPiece],
  ["gpt2", createByteLevel],
  ["t5", createUnigram],
]);

/**
 * Builds the tokenizer that a GGUF file describes. Throws `BAD_MODEL` for a vocabulary
 * that contradicts itself, `UNSUPPORTED` for a kind of tokenizer that there is not.
 */
export function createTokenizer(metadata: Metadata): Tokenizer {
  return requireKind(metadata)(metadata);
}

/** Throws what `createTokenizer` does for a kind that there is not, without building one. */
export function checkTokenizerKind(metadata: Metadata): void {
  requireKind(metadata);
}

function requireKind(metadata: Metadata): (metadata: Metadata) => Tokenizer {
  const model = metadata.requireString(KEY.MODEL);
  const create = TOKENIZERS.get(model);
  if (create !== undefined) return create;
  const supported = [...TOKENIZERS.keys()].map(quote).join(", ");
  const what = `the tokenizer ${quote(model)} (${KEY.MODEL}) is not supported`;
  throw fileError("UNSUPPORTED", metadata.path, `${what}. Use a model with one of ${supported}.`);
}
