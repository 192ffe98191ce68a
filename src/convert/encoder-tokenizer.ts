import { existsSync } from "node:fs";
import { join } from "node:path";
import type { MetadataEntry } from "../gguf/types.ts";
import type { ModelFolder } from "./folder.ts";
import { SENTENCEPIECE_FILE, unigramMetadata } from "./unigram.ts";
import { wordpieceMetadata } from "./wordpiece.ts";
import { readWordpiece } from "./wordpiece-reader.ts";

/**
 * The `tokenizer.ggml.*` entries of an encoder's tokenizer: Unigram where the folder says so, as
 * that of multilingual-e5-small does with a `BertModel`, else WordPiece. Throws `FILE_NOT_FOUND`,
 * `BAD_FILE`, `BAD_MODEL` or `UNSUPPORTED`.
 */
export async function encoderTokenizerMetadata(
  folder: ModelFolder,
  vocabSize: number,
): Promise<[string, MetadataEntry][]> {
  if (isUnigram(folder)) return unigramMetadata(folder, vocabSize);
  return wordpieceMetadata(await readWordpiece(folder, vocabSize));
}

function isUnigram({ path, tokenizer }: ModelFolder): boolean {
  if (tokenizer !== undefined) return tokenizer.getObject("model")?.type === "Unigram";
  return existsSync(join(path, SENTENCEPIECE_FILE)) && !existsSync(join(path, "vocab.txt"));
}
