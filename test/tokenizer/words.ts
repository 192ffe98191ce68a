import { BertNormalizer } from "../../src/tokenizer/bert-normalizer.ts";
import { BertWords, WORD_LENGTH_MAX } from "../../src/tokenizer/bert-words.ts";

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
