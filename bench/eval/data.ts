/** The texts that quality is measured with. bench/eval/data/README.md says how they were made. */
import { join } from "node:path";

/** English first: it has more of everything, and the others are paired with it. */
export const LANGUAGES = ["en", "de", "fr", "es", "zh", "ja", "ar", "ru", "hi"] as const;
export type Language = (typeof LANGUAGES)[number];

/** One text in each of its languages: in all of them, or in English alone. */
export type Texts = Readonly<Partial<Record<Language, string>>>;

export interface Passage {
  readonly id: string;
  readonly text: Texts;
}

export interface Query {
  readonly id: string;
  /** By passage: 2 answers it, 1 is of use. Any other passage is worth 0. */
  readonly relevant: Readonly<Record<string, number>>;
  readonly text: Texts;
}

/** How alike the sentences of a pair are, 0 to 5, by what they have to do with each other. */
export const GRADES = {
  paraphrase: 5,
  detail: 4,
  differs: 3,
  opposite: 2,
  topic: 1,
  unrelated: 0,
} as const;

export interface Pair {
  readonly id: string;
  readonly kind: keyof typeof GRADES;
  readonly first: Texts;
  readonly second: Texts;
}

export interface EvalSet {
  readonly passages: readonly Passage[];
  readonly queries: readonly Query[];
  readonly pairs: readonly Pair[];
  /** First 16 hexadecimal digits of the SHA-256 of the three files. */
  readonly digest: string;
}

const FOLDER = join(import.meta.dir, "data");

export async function readEvalSet(): Promise<EvalSet> {
  const hasher = new Bun.CryptoHasher("sha256");
  return {
    passages: await readLines<Passage>("documents.jsonl", hasher),
    queries: await readLines<Query>("queries.jsonl", hasher),
    pairs: await readLines<Pair>("pairs.jsonl", hasher),
    digest: hasher.digest("hex").slice(0, 16),
  };
}

async function readLines<Row>(name: string, hasher: Bun.CryptoHasher): Promise<Row[]> {
  const text = await Bun.file(join(FOLDER, name)).text();
  hasher.update(text);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}
