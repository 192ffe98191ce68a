import { POOLING_TYPES } from "../gguf/pooling-type.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { KEY } from "../tokenizer/vocabulary.ts";
import type { ModelFolder } from "./folder.ts";

/** Nothing where the folder does not say. */
export function poolingMetadata(
  architecture: string,
  { pooling }: ModelFolder,
): [string, MetadataEntry][] {
  if (pooling === undefined) return [];
  return [[`${architecture}.pooling_type`, value.uint32(POOLING_TYPES.indexOf(pooling))]];
}

/** GGUF has this size of the model among the tokenizer's keys. */
export function tokenTypeMetadata(count: number): [string, MetadataEntry][] {
  return [["tokenizer.ggml.token_type_count", value.uint32(count)]];
}

/** The pieces by id, with what GGUF holds beside each. */
export interface Pieces {
  readonly tokens: readonly string[];
  /** A `TOKEN_TYPE` for each. */
  readonly types: Int32Array;
  /** For tokenizers that choose by score. */
  readonly scores?: Float32Array;
}

export function piecesMetadata(
  model: string,
  pre: string,
  { tokens, types, scores }: Pieces,
): [string, MetadataEntry][] {
  return [
    [KEY.MODEL, value.string(model)],
    [KEY.PRE, value.string(pre)],
    [KEY.TOKENS, value.strings(tokens)],
    ...(scores === undefined
      ? []
      : [[KEY.SCORES, value.numbers("float32", scores)] satisfies [string, MetadataEntry]]),
    [KEY.TYPES, value.numbers("int32", types)],
  ];
}
