/**
 * Texts for benchmarks: English sentences of common words, the same for the same seed. Ordinary
 * words matter: a tokenizer and an embedding table see what they would see in use.
 */
import { randomNumbers } from "./random.ts";

const DETERMINERS = "the a this that every another our their some one".split(" ");
const ADJECTIVES = `
   small large old new quiet bright early late heavy simple strong local public common final warm
   clear recent narrow useful careful modern strange empty distant famous honest rapid solid green`;
const NOUNS = `
   house river city engine garden letter market window teacher student doctor farmer machine road
   bridge library forest mountain island school hospital company report question answer method
   system network country village summer winter morning evening story picture paper water music
   language history science journey station harbor kitchen weather problem decision meeting`;
const VERBS = `
   finds builds opens closes follows carries changes describes explains improves reaches leaves
   remembers supports watches moves needs keeps crosses measures repairs sells teaches visits
   studies protects connects prepares replaces surprises`;
const ADVERBS = "slowly often never always rarely quickly together again quietly almost".split(" ");
const PREPOSITIONS = "near behind under across after before without between against over".split(
  " ",
);

const words = (list: string) => list.trim().split(/\s+/);
const KINDS: Readonly<Record<string, readonly string[]>> = {
  D: DETERMINERS,
  A: words(ADJECTIVES),
  N: words(NOUNS),
  V: words(VERBS),
  R: ADVERBS,
  P: PREPOSITIONS,
};
/** Shapes of clauses, a letter a word. */
const CLAUSES = ["DANVDN", "DNVDAN", "DNRVDNPDN", "DANPDNVDN", "DNVDNPDAN"];
const JOINERS = [".", ".", ".", ",", ";"];

/** Texts of so many words each, give or take a quarter. */
export function makeTexts(count: number, wordsMean: number, seed: number): string[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => {
    const share = 0.75 + (random() / 2 ** 32) * 0.5;
    return makeText(Math.max(1, Math.round(wordsMean * share)), random);
  });
}

/** Texts of exactly so many tokens by `countTokens`, or as near below as whole words come. */
export function makeTextsOfTokens(
  count: number,
  tokens: number,
  seed: number,
  countTokens: (text: string) => number,
): string[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => {
    // A word is a token or more, so these are enough.
    const all = makeText(tokens, random).split(" ");
    let fits = 0;
    let tooMany = all.length + 1;
    while (tooMany - fits > 1) {
      const middle = (fits + tooMany) >> 1;
      if (countTokens(all.slice(0, middle).join(" ")) <= tokens) fits = middle;
      else tooMany = middle;
    }
    return all.slice(0, fits).join(" ");
  });
}

function makeText(wordCount: number, random: () => number): string {
  const pick = <T>(from: readonly T[]): T => from[random() % from.length]!;
  const text: string[] = [];
  let starts = true;
  while (text.length < wordCount) {
    const clause = [...pick(CLAUSES)].map((kind) => pick(KINDS[kind]!));
    const joiner = pick(JOINERS);
    if (starts) clause[0] = clause[0]!.replace(/^./, (letter) => letter.toUpperCase());
    clause[clause.length - 1] += joiner;
    starts = joiner === ".";
    text.push(...clause);
  }
  return text.slice(0, wordCount).join(" ");
}
