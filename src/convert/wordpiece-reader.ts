import { join } from "node:path";
import { fileError, quote } from "../gguf/message.ts";
import { TOKEN_TYPE } from "../tokenizer/vocabulary.ts";
import { readAffixes, tokenText } from "./affixes.ts";
import type { ModelFolder } from "./folder.ts";
import type { JsonFile, JsonObject } from "./json.ts";
import { readAddedTokens } from "./special-tokens.ts";
import { beyondVocabulary, fillPieces, findIn, readVocabulary } from "./vocabulary-reader.ts";
import { CONTINUATION, type SpecialTokens, type WordpieceVocabulary } from "./wordpiece.ts";

const BERT_NORMALIZER = "BertNormalizer";

/**
 * The vocabulary of a folder: from `tokenizer.json`, or from `vocab.txt`, which has one piece a
 * line. Throws `FILE_NOT_FOUND`, `BAD_MODEL` or `UNSUPPORTED`.
 */
export async function readWordpiece(
  folder: ModelFolder,
  vocabSize: number,
): Promise<WordpieceVocabulary> {
  const { tokenizer } = folder;
  const path = tokenizer?.path ?? join(folder.path, "vocab.txt");
  if (tokenizer !== undefined) requireWordpiece(tokenizer);
  const listed = tokenizer === undefined ? await readLines(path) : readVocabulary(tokenizer);
  const { tokens, types } = fillPieces(path, vocabSize, listed);
  const special = readSpecialTokens(folder, tokens);
  if (tokenizer !== undefined) requireAffixes(folder, tokenizer, tokens, special);
  for (const id of Object.values(special)) types[id] = TOKEN_TYPE.CONTROL;
  for (const { id, text, special } of readAddedTokens(tokenizer)) {
    if (id >= vocabSize) {
      throw beyondVocabulary(path, text, id, vocabSize);
    }
    tokens[id] = text;
    types[id] = special ? TOKEN_TYPE.CONTROL : TOKEN_TYPE.USER_DEFINED;
  }
  return { tokens, types, special, ...readNormalizer(folder) };
}

/** GGUF knows no other mark of continuation, nor another kind of model under that name. */
function requireWordpiece(tokenizer: JsonFile): void {
  const { type, continuing_subword_prefix: prefix = CONTINUATION } =
    tokenizer.requireObject("model");
  if (type === "WordPiece" && prefix === CONTINUATION) return;
  const found = type === "WordPiece" ? `the prefix ${quote(String(prefix))}` : quote(String(type));
  const message = `"model.type": expected "WordPiece" with ${CONTINUATION}, found ${found}`;
  throw fileError("UNSUPPORTED", tokenizer.path, message);
}

/** A text stands between [CLS] and [SEP]. */
function requireAffixes(
  folder: ModelFolder,
  tokenizer: JsonFile,
  tokens: readonly string[],
  { cls, sep }: SpecialTokens,
): void {
  if (tokenizer.getObject("post_processor") === undefined) return;
  const { bos, eos } = readAffixes(folder, findIn(tokens));
  if (bos === cls && eos === sep) return;
  const message = `"post_processor": expected a text between ${tokens[cls]} and ${tokens[sep]}`;
  throw fileError("UNSUPPORTED", tokenizer.path, message);
}

async function readLines(path: string): Promise<[string, number][]> {
  const file = Bun.file(path);
  if (!(await file.exists())) {
    const message =
      "no such file, and no tokenizer.json beside it: the model's tokenizer is missing";
    throw fileError("FILE_NOT_FOUND", path, message);
  }
  const lines = (await file.text()).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line, id) => [line, id]);
}

function readSpecialTokens(folder: ModelFolder, tokens: readonly string[]): SpecialTokens {
  const find = (name: string, usual: string) => {
    const text = tokenText(folder.tokenizerConfig?.values[name]) ?? usual;
    const id = tokens.indexOf(text);
    if (id >= 0) return id;
    throw fileError("BAD_MODEL", folder.path, `${name} ${text} is not in the vocabulary`);
  };
  return {
    cls: find("cls_token", "[CLS]"),
    sep: find("sep_token", "[SEP]"),
    unk: find("unk_token", "[UNK]"),
    pad: find("pad_token", "[PAD]"),
    mask: find("mask_token", "[MASK]"),
  };
}

/**
 * The settings of BERT's normaliser. GGUF has no word for whether Chinese characters stand alone:
 * they do.
 */
function readNormalizer(
  folder: ModelFolder,
): Pick<WordpieceVocabulary, "lowercase" | "stripAccents"> {
  const settings = statedNormalizer(folder) ?? folder.tokenizerConfig?.values ?? {};
  const chinese = settings.handle_chinese_chars ?? settings.tokenize_chinese_chars ?? true;
  if (chinese !== true) {
    const message = "GGUF cannot state a tokenizer that leaves Chinese characters together";
    throw fileError("UNSUPPORTED", folder.path, message);
  }
  const lowercase = (settings.lowercase ?? settings.do_lower_case ?? true) === true;
  return { lowercase, stripAccents: (settings.strip_accents ?? lowercase) === true };
}

function statedNormalizer({ tokenizer }: ModelFolder): JsonObject | undefined {
  const normalizer = tokenizer?.getObject("normalizer");
  const { type = BERT_NORMALIZER, clean_text = true } = normalizer ?? {};
  if (tokenizer === undefined || (type === BERT_NORMALIZER && clean_text === true))
    return normalizer;
  const found = `${quote(String(type))}, "clean_text" ${clean_text}`;
  const message = `"normalizer": expected ${BERT_NORMALIZER} that cleans the text; found ${found}`;
  throw fileError("UNSUPPORTED", tokenizer.path, message);
}
