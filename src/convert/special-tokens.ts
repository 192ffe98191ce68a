import { fileError } from "../gguf/message.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { KEY } from "../tokenizer/vocabulary.ts";
import { affixMetadata, type FindToken, readAffixes, tokenText } from "./affixes.ts";
import type { ModelFolder } from "./folder.ts";
import { isJsonObject, type JsonFile } from "./json.ts";

/** A token that Hugging Face added to a vocabulary, or took out of its ordinary pieces. */
export interface AddedToken {
  readonly id: number;
  readonly text: string;
  readonly special: boolean;
}

/** `added_tokens` of `tokenizer.json`. */
export function readAddedTokens(tokenizer: JsonFile | undefined): AddedToken[] {
  return (tokenizer?.getArray("added_tokens") ?? []).flatMap((added) => {
    const { id, content, special } = isJsonObject(added) ? added : {};
    if (!isId(id) || typeof content !== "string") return [];
    return [{ id, text: content, special: special === true }];
  });
}

/** The same of `tokenizer_config.json`, for a folder with a SentencePiece model. */
export function readAddedTokensDecoder(config: JsonFile | undefined): AddedToken[] {
  return Object.entries(config?.getObject("added_tokens_decoder") ?? {}).flatMap(([key, added]) => {
    const { content, special } = isJsonObject(added) ? added : {};
    if (!isId(Number(key)) || typeof content !== "string") return [];
    return [{ id: Number(key), text: content, special: special === true }];
  });
}

/** Whether a token that nobody declared special is one: the rule of llama.cpp's converter. */
export function looksSpecial(text: string): boolean {
  return /^(<pad>|<mask>|<\|.*\|>|<｜.*｜>)$/s.test(text);
}

/**
 * Ids of the special tokens, and which of them go around a text. BOS and EOS are what a text gets,
 * whatever else has that name: with Qwen3-Embedding the end of a turn of a chat has it.
 */
export function specialTokenMetadata(
  folder: ModelFolder,
  find: FindToken,
  vocabSize: number,
): [string, MetadataEntry][] {
  const affixes = readAffixes(folder, find);
  const ids: readonly (readonly [key: string, id: number | undefined])[] = [
    [KEY.BOS, affixes.bos ?? statedId(folder, "bos", find)],
    [KEY.EOS, affixes.eos ?? statedId(folder, "eos", find)],
    [KEY.UNKNOWN, statedId(folder, "unk", find)],
    [KEY.SEPARATOR, statedId(folder, "sep", find)],
    [KEY.PADDING, statedId(folder, "pad", find)],
    [KEY.MASK, statedId(folder, "mask", find)],
  ];
  const entries = ids.flatMap(([key, id]): [string, MetadataEntry][] => {
    if (id === undefined) return [];
    if (id < vocabSize) return [[key, value.uint32(id)]];
    const message = `${key}: id ${id} is outside the vocabulary of ${vocabSize}`;
    throw fileError("BAD_MODEL", folder.path, message);
  });
  return [...entries, ...affixMetadata(affixes)];
}

function statedId(folder: ModelFolder, name: string, find: FindToken): number | undefined {
  const text = tokenText(folder.tokenizerConfig?.values[`${name}_token`]);
  const id = text === undefined ? undefined : find(text);
  const byConfig = folder.config.values[`${name}_token_id`];
  return id ?? (isId(byConfig) ? byConfig : undefined);
}

function isId(id: unknown): id is number {
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0;
}
