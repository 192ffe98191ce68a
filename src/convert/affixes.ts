import { fileError } from "../gguf/message.ts";
import type { MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { KEY } from "../tokenizer/vocabulary.ts";
import type { ModelFolder } from "./folder.ts";
import { isJsonObject, type JsonFile, type JsonObject } from "./json.ts";

/** What a tokenizer puts around every text, as ids. */
export interface Affixes {
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  /** Are two texts, one after the other, parted by one token more than ends a text? */
  readonly separates: boolean;
}

/** A step of a template of Hugging Face tokenizers: a token's id, or a text. */
type Step = number | "text";

/** The id of a token under its text. */
export type FindToken = (text: string) => number | undefined;

/**
 * What the post-processor of `tokenizer.json` adds; and `add_bos_token` and `add_eos_token` of
 * `tokenizer_config.json`, where they are true and the template lacks that end, as the tokenizers
 * of Gemma and Llama have it; these put BOS in front where nothing else is said. Throws
 * `UNSUPPORTED` for more tokens than GGUF can state, `BAD_MODEL` for one that is no token.
 */
export function readAffixes(folder: ModelFolder, find: FindToken): Affixes {
  const { tokenizer, tokenizerConfig } = folder;
  const templates = tokenizer === undefined ? undefined : readTemplates(tokenizer, find);
  const { single = ["text" as const], pair = [] } = templates ?? {};
  const text = single.indexOf("text");
  const before = single.slice(0, text) as number[];
  const after = single.slice(text + 1);
  if (text < 0 || before.length > 1 || after.length > 1 || after[0] === "text") {
    const path = tokenizer?.path ?? folder.path;
    throw fileError(
      "UNSUPPORTED",
      path,
      '"post_processor": GGUF has one token at each end of a text',
    );
  }
  const added = (flag: string, token: string, usual = false) => {
    if ((tokenizerConfig?.getBoolean(flag) ?? usual) === false) return undefined;
    const name = tokenText(tokenizerConfig?.values[token]);
    return name === undefined ? undefined : find(name);
  };
  const between = pair.slice(pair.indexOf("text") + 1, pair.lastIndexOf("text"));
  return {
    bos: before[0] ?? added("add_bos_token", "bos_token", tokenizer === undefined),
    eos: (after[0] as number | undefined) ?? added("add_eos_token", "eos_token"),
    separates: between.length > 1,
  };
}

/** A special token is a string, or an object that holds one. */
export function tokenText(token: unknown): string | undefined {
  const text = isJsonObject(token) ? token.content : token;
  return typeof text === "string" ? text : undefined;
}

/** The switches, for a tokenizer whose tokens are those of the keys for BOS and EOS. */
export function affixMetadata({ bos, eos, separates }: Affixes): [string, MetadataEntry][] {
  return [
    [KEY.ADD_BOS, value.bool(bos !== undefined)],
    [KEY.ADD_EOS, value.bool(eos !== undefined)],
    [KEY.ADD_SEPARATOR, value.bool(separates)],
  ];
}

interface Templates {
  readonly single: readonly Step[];
  readonly pair: readonly Step[];
}

function readTemplates(tokenizer: JsonFile, find: FindToken): Templates | undefined {
  const processor = tokenizer.getObject("post_processor");
  if (processor === undefined) return undefined;
  const parts = Array.isArray(processor.processors) ? processor.processors : [processor];
  const found = parts.flatMap((part) => {
    const { type } = isJsonObject(part) ? part : {};
    if (!isJsonObject(part) || typeof type !== "string" || !Object.hasOwn(READERS, type)) {
      const what = `"post_processor": expected one of ${Object.keys(READERS).join(", ")}`;
      throw fileError("UNSUPPORTED", tokenizer.path, `${what}; found ${JSON.stringify(type)}`);
    }
    return READERS[type]!(part, (text) => {
      const id = find(text);
      if (id !== undefined) return id;
      const message = `"post_processor": ${JSON.stringify(text)} is not in the vocabulary`;
      throw fileError("BAD_MODEL", tokenizer.path, message);
    });
  });
  if (found.length < 2) return found[0];
  throw fileError("UNSUPPORTED", tokenizer.path, '"post_processor": more than one adds tokens');
}

type Reader = (processor: JsonObject, find: (text: string) => number) => Templates[];

/** Source: `tokenizers::processors` of huggingface/tokenizers. */
const READERS: Readonly<Record<string, Reader>> = {
  // It trims offsets.
  ByteLevel: () => [],
  TemplateProcessing: ({ single, pair }, find) => [
    { single: readTemplate(single, find), pair: readTemplate(pair, find) },
  ],
  BertProcessing: ({ cls, sep }, find) => [around(find(first(cls)), find(first(sep)), false)],
  RobertaProcessing: ({ cls, sep }, find) => [around(find(first(cls)), find(first(sep)), true)],
};

function readTemplate(steps: unknown, find: (text: string) => number): Step[] {
  return (Array.isArray(steps) ? steps : []).map((step) => {
    const special = isJsonObject(step) ? step.SpecialToken : undefined;
    return isJsonObject(special) ? find(String(special.id)) : "text";
  });
}

/** `["[CLS]", 101]` */
function first(token: unknown): string {
  return String(Array.isArray(token) ? token[0] : token);
}

function around(cls: number, sep: number, twice: boolean): Templates {
  const middle = twice ? [sep, sep] : [sep];
  return { single: [cls, "text", sep], pair: [cls, "text", ...middle, "text", sep] };
}
