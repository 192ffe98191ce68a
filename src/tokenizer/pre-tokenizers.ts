import { fileError, quote } from "../gguf/message.ts";
import type { Metadata } from "../gguf/types.ts";
import { KEY } from "./vocabulary.ts";
import { GPT2_PATTERN, llama3Pattern, type WordPattern } from "./word-pattern.ts";

/** What `tokenizer.ggml.pre` says of a byte-level BPE tokenizer. */
export interface PreTokenizer {
  readonly pattern: WordPattern;
  /** Is the text brought to NFC before it is cut? */
  readonly isNfc: boolean;
  /** Is a word that is a piece that piece, whatever merges give (`ignore_merges`)? */
  readonly ignoresMerges: boolean;
  /** Is BOS put before a text where the file does not say? */
  readonly addsBos: boolean;
}

const PLAIN = { isNfc: false, ignoresMerges: false, addsBos: false };
const GPT2: PreTokenizer = { ...PLAIN, pattern: GPT2_PATTERN };
const LLAMA3: PreTokenizer = {
  pattern: llama3Pattern(3),
  isNfc: false,
  ignoresMerges: true,
  addsBos: true,
};

/** By `tokenizer.ggml.pre`, in the names that converters write. */
const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ["gpt-2", GPT2],
  ["phi-2", GPT2],
  ["modern-bert", { ...GPT2, isNfc: true }],
  ["llama-bpe", LLAMA3],
  ["llama3", LLAMA3],
  ["llama-v3", LLAMA3],
  ["qwen2", { ...PLAIN, pattern: llama3Pattern(1), isNfc: true }],
]);

/** Throws `UNSUPPORTED` for a pre-tokenizer that there is not, or if the file names none. */
export function readPreTokenizer(metadata: Metadata): PreTokenizer {
  const name = metadata.getString(KEY.PRE);
  const found = PRE_TOKENIZERS.get(name ?? "");
  if (found !== undefined) return found;
  const what =
    name === undefined
      ? `the file does not say how its tokenizer cuts words (${KEY.PRE})`
      : `the pre-tokenizer ${quote(name)} (${KEY.PRE}) is not supported`;
  const supported = [...PRE_TOKENIZERS.keys()].map(quote).join(", ");
  const advice = `Use a model with one of ${supported}.`;
  throw fileError("UNSUPPORTED", metadata.path, `${what}. ${advice}`);
}
