import { Charsmap } from "../../src/tokenizer/charsmap.ts";
import { CharsmapNormalizer } from "../../src/tokenizer/charsmap-normalizer.ts";
import { CharsmapRules } from "../../src/tokenizer/charsmap-rules.ts";
import { charsmap } from "./charsmap.ts";

/** What rules make of a text, which comes in parts of so many characters. */
export function normalized(
  rules: Readonly<Record<string, string>>,
  text: string,
  partLength = Number.POSITIVE_INFINITY,
): string {
  const all = new CharsmapRules(new Charsmap("rules.gguf", charsmap(rules)));
  const normalizer = new CharsmapNormalizer(all);
  const characters = [...text];
  for (let i = 0; i < characters.length; i += partLength) {
    const part = new TextEncoder().encode(characters.slice(i, i + partLength).join(""));
    normalizer.normalize(part, 0, part.length);
  }
  normalizer.finish();
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    normalizer.bytes.subarray(0, normalizer.length),
  );
}
