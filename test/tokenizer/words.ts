import * as value from "../../src/gguf/values.ts";
import { BertNormalizer } from "../../src/tokenizer/bert-normalizer.ts";
import { BertWords, WORD_LENGTH_MAX } from "../../src/tokenizer/bert-words.ts";
import { CodePoints } from "../../src/tokenizer/code-points.ts";
import { Work } from "../../src/tokenizer/encoder.ts";
import { NfcNormalizer } from "../../src/tokenizer/nfc.ts";
import { readPreTokenizer } from "../../src/tokenizer/pre-tokenizers.ts";
import { KEY } from "../../src/tokenizer/vocabulary.ts";
import { WordCutter } from "../../src/tokenizer/word-cutter.ts";
import { stored } from "./vocabularies.ts";

/** BERT's words of a text; of one that is too long for any vocabulary, its length. */
export function bertWords(
  text: string,
  normalizer = new BertNormalizer({ lowercase: true, stripAccents: true }),
): (string | number)[] {
  const words: (string | number)[] = [];
  const cutter = new BertWords(normalizer, (codePoints, length) => {
    const isWhole = length <= WORD_LENGTH_MAX;
    words.push(isWhole ? String.fromCodePoint(...codePoints.subarray(0, length)) : length);
  });
  const bytes = new TextEncoder().encode(text);
  cutter.cut(bytes, 0, bytes.length);
  cutter.finish();
  return words;
}

/** The words of byte-level BPE, in the characters that stand for bytes. */
export function byteWords(text: string, pre: string): string[] {
  const { pattern, isNfc } = readPreTokenizer(stored([[KEY.PRE, value.string(pre)]]));
  const words: string[] = [];
  const codePoints = new CodePoints(pattern.isCaseless);
  const cutter = new WordCutter(pattern, codePoints, {
    word(bytes, length) {
      words.push(new TextDecoder().decode(bytes.subarray(0, length)));
      return true;
    },
  });
  const normalizer = isNfc ? new NfcNormalizer(codePoints, cutter, new Work()) : undefined;
  const bytes = new TextEncoder().encode(text);
  (normalizer ?? cutter).text(bytes, 0, bytes.length);
  normalizer?.finish();
  cutter.finish();
  return words;
}
