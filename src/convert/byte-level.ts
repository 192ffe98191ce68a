import { fileError, quote } from "../gguf/message.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { KEY, TOKEN_TYPE } from "../tokenizer/vocabulary.ts";
import type { ModelFolder } from "./folder.ts";
import { isJsonObject, type JsonFile, type JsonObject } from "./json.ts";
import { piecesMetadata } from "./metadata.ts";
import { looksSpecial, readAddedTokens, specialTokenMetadata } from "./special-tokens.ts";
import { beyondVocabulary, fillPieces, findIn, readVocabulary } from "./vocabulary-reader.ts";

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const WORDS = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
const REST = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

interface PreTokenizer {
  /** `tokenizer.ggml.pre`. */
  readonly name: string;
  /** How words are cut; none for the pattern that GPT-2's `ByteLevel` has in itself. */
  readonly pattern: string | undefined;
  readonly normalizer: string | undefined;
  readonly ignoresMerges: boolean;
}

const PRE_TOKENIZERS: readonly PreTokenizer[] = [
  {
    name: "qwen2",
    pattern: `${CONTRACTIONS}|${WORDS}|\\p{N}|${REST}`,
    normalizer: "NFC",
    ignoresMerges: false,
  },
  {
    name: "llama-bpe",
    pattern: `${CONTRACTIONS}|${WORDS}|\\p{N}{1,3}|${REST}`,
    normalizer: undefined,
    ignoresMerges: true,
  },
  { name: "gpt-2", pattern: undefined, normalizer: undefined, ignoresMerges: false },
];

/** The `tokenizer.ggml.*` entries of a byte-level BPE model. Throws `BAD_MODEL`, `UNSUPPORTED`. */
export function byteLevelMetadata(
  folder: ModelFolder,
  vocabSize: number,
): [string, MetadataEntry][] {
  const { tokenizer } = folder;
  if (tokenizer === undefined) {
    const path = `${folder.path}/tokenizer.json`;
    throw fileError("FILE_NOT_FOUND", path, "no such file, and the model's tokenizer is in it");
  }
  const model = tokenizer.requireObject("model");
  if (model.type !== "BPE" || model.byte_fallback === true) {
    const found = quote(String(model.type));
    const message = `"model.type": expected "BPE" of bytes, found ${found}`;
    throw fileError("UNSUPPORTED", tokenizer.path, message);
  }
  const added = readAddedTokens(tokenizer);
  const { tokens, types } = fillPieces(tokenizer.path, vocabSize, readVocabulary(tokenizer));
  for (const { id, text, special } of added) {
    if (id >= vocabSize) throw beyondVocabulary(tokenizer.path, text, id, vocabSize);
    const isControl = special || looksSpecial(text);
    tokens[id] = text;
    types[id] = isControl ? TOKEN_TYPE.CONTROL : TOKEN_TYPE.USER_DEFINED;
  }
  return [
    ...piecesMetadata("gpt2", readPreTokenizer(tokenizer, model), { tokens, types }),
    [KEY.MERGES, value.strings(readMerges(tokenizer, model))],
    ...specialTokenMetadata(folder, findIn(tokens), vocabSize),
  ];
}

/** `left right`, or since 2024 the two in an array of their own. */
function readMerges({ path }: JsonFile, { merges }: JsonObject): string[] {
  return (Array.isArray(merges) ? merges : [])
    .map((merge: unknown) => (Array.isArray(merge) ? merge.join(" ") : merge))
    .map((merge, i) => {
      if (typeof merge === "string" && /^[^ ]+ [^ ]+$/.test(merge)) return merge;
      throw fileError("BAD_MODEL", path, `"model.merges": merge ${i} is no pair of pieces`);
    });
}

function readPreTokenizer(tokenizer: JsonFile, model: JsonObject): string {
  const pattern = readPattern(tokenizer);
  const normalizer = tokenizer.getObject("normalizer")?.type;
  const ignoresMerges = model.ignore_merges === true;
  const found = PRE_TOKENIZERS.find(
    (known) =>
      known.pattern === pattern &&
      known.normalizer === normalizer &&
      known.ignoresMerges === ignoresMerges,
  );
  if (found !== undefined) return found.name;
  const names = PRE_TOKENIZERS.map(({ name }) => name).join(", ");
  throw fileError(
    "UNSUPPORTED",
    tokenizer.path,
    `"pre_tokenizer" and "normalizer" are of none of the kinds ${names}; words are cut by ` +
      `${quote(pattern ?? "ByteLevel")} after ${quote(String(normalizer ?? "nothing"))}`,
  );
}

/** The pattern of the only `Split`; `undefined` where `ByteLevel` cuts the words. */
function readPattern(tokenizer: JsonFile): string | undefined {
  const stated = tokenizer.getObject("pre_tokenizer") ?? {};
  const steps = Array.isArray(stated.pretokenizers) ? stated.pretokenizers : [stated];
  const [first, last, ...more] = steps.map((step) => (isJsonObject(step) ? step : {}));
  const byteLevel = last ?? first;
  const isPlain = byteLevel?.type === "ByteLevel" && byteLevel.add_prefix_space !== true;
  if (isPlain && more.length === 0) {
    if (last === undefined && byteLevel.use_regex !== false) return undefined;
    const { type, pattern, behavior, invert } = first ?? {};
    const regex = isJsonObject(pattern) ? pattern.Regex : undefined;
    const cuts = type === "Split" && behavior === "Isolated" && invert !== true;
    if (cuts && byteLevel.use_regex === false && typeof regex === "string") return regex;
  }
  const found = steps.map((step) => (isJsonObject(step) ? String(step.type) : "?")).join(", ");
  const message = `"pre_tokenizer": expected ByteLevel, or Split and ByteLevel; found ${found}`;
  throw fileError("UNSUPPORTED", tokenizer.path, message);
}
