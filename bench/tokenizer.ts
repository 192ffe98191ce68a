import { ROOT } from "../scripts/paths.ts";
import { readGguf } from "../src/gguf/reader.ts";
import type { Metadata } from "../src/gguf/types.ts";
import { createTokenizer } from "../src/tokenizer/index.ts";
import { KEY } from "../src/tokenizer/vocabulary.ts";
import { minilmMetadata } from "../test/tokenizer/vocabularies.ts";
import { type Case, digest, type Setting } from "./harness.ts";
import { gemmaPath } from "./models.ts";
import { randomNumbers } from "./random.ts";

const BYTES = { full: 100_000, tiny: 1_000 };

/** Building both tokenizers from a header; and English, Chinese and code. */
export async function* tokenizer(setting: Setting): AsyncGenerator<Case> {
  const gemma = (await readGguf(await gemmaPath(setting))).metadata;
  const texts = await makeTexts(gemma, setting);
  const models = { Gemma: gemma, MiniLM: minilmMetadata() };
  for (const [model, metadata] of Object.entries(models)) {
    const { vocabSize, encode } = bound(metadata);
    const name = `${model}: build, ${vocabSize} pieces`;
    yield { name, run: () => createTokenizer(metadata) };
    for (const [language, text] of Object.entries(texts)) {
      const ids = encode(text);
      const bytes = Buffer.byteLength(text);
      yield {
        name: `${model}: ${language}, ${bytes} bytes, ${ids.length} tokens`,
        amount: { count: bytes, unit: "bytes" },
        result: digest([ids]),
        run: () => encode(text),
      };
    }
  }
}

function bound(metadata: Metadata) {
  const built = createTokenizer(metadata);
  return { vocabSize: built.vocabSize, encode: (text: string) => built.encode(text) };
}

async function makeTexts(gemma: Metadata, { size, seed }: Setting) {
  const { bytes, starts, ends } = gemma.requireStrings(KEY.TOKENS);
  const decoder = new TextDecoder();
  const pieces = Array.from(starts, (start, i) => decoder.decode(bytes.subarray(start, ends[i])));
  const latin = pieces.filter((piece) => /^▁[a-z]+$/.test(piece)).map((piece) => piece.slice(1));
  const han = pieces.filter((piece) => /^\p{Script=Han}+$/u.test(piece));
  return {
    English: makeText(latin, " ", BYTES[size], seed),
    // A small vocabulary has no Chinese.
    ...(han.length === 0 ? {} : { Chinese: makeText(han, "", BYTES[size], seed) }),
    code: await readCode(BYTES[size]),
  };
}

/** Words of a vocabulary, the first ones most often, as in a language. */
function makeText(words: readonly string[], joiner: string, size: number, seed: number): string {
  const random = randomNumbers(seed);
  let text = "";
  for (let bytes = 0; bytes < size; ) {
    const word = words[Math.floor(words.length ** (random() / 2 ** 32)) - 1]! + joiner;
    const part = random() % 12 === 0 ? `${word}, ` : word;
    text += part;
    bytes += Buffer.byteLength(part);
  }
  return text;
}

async function readCode(size: number): Promise<string> {
  let text = "";
  for (const name of [...new Bun.Glob("src/**/*.ts").scanSync(ROOT)].sort()) {
    text += await Bun.file(`${ROOT}/${name}`).text();
    if (text.length >= size) break;
  }
  return text.slice(0, size);
}
