import type { EvalSet, Language, Texts } from "./data.ts";
import { GRADES } from "./data.ts";

/** What is searched for in one language and found in another, or in the same. */
export interface Direction {
  readonly from: Language;
  readonly to: Language;
}

export interface Task extends Direction {
  readonly retrieval: {
    /** Positions in the set's queries. */
    readonly queries: readonly number[];
    /** Positions in the set's passages. */
    readonly passages: readonly number[];
    /** `[queries][passages]` */
    readonly gains: readonly (readonly number[])[];
  };
  readonly similarity: {
    /** Positions in the set's pairs: the first sentence is in `from`, the second in `to`. */
    readonly pairs: readonly number[];
    readonly grades: readonly number[];
  };
}

/** Each language alone, and each with English both ways. */
export function directionsOf(languages: readonly Language[]): Direction[] {
  const alone = languages.map((language) => ({ from: language, to: language }));
  if (!languages.includes("en")) return alone;
  const others = languages.filter((language) => language !== "en");
  return [
    ...alone,
    ...others.map((from) => ({ from, to: "en" }) as const),
    ...others.map((to) => ({ from: "en", to }) as const),
  ];
}

export function makeTask(set: EvalSet, { from, to }: Direction): Task {
  const having = (language: Language, rows: readonly { readonly text: Texts }[]) =>
    [...rows.keys()].filter((index) => rows[index]!.text[language] !== undefined);
  const passages = having(to, set.passages);
  const isThere = new Set(passages.map((index) => set.passages[index]!.id));
  // What was asked in English alone is not there to be found in another language.
  const queries = having(from, set.queries).filter((index) =>
    Object.keys(set.queries[index]!.relevant).every((id) => isThere.has(id)),
  );
  const pairs = [...set.pairs.keys()].filter((index) => {
    const { first, second } = set.pairs[index]!;
    return first[from] !== undefined && second[to] !== undefined;
  });
  return {
    from,
    to,
    retrieval: {
      queries,
      passages,
      gains: queries.map((query) =>
        passages.map((passage) => set.queries[query]!.relevant[set.passages[passage]!.id] ?? 0),
      ),
    },
    similarity: { pairs, grades: pairs.map((index) => GRADES[set.pairs[index]!.kind]) },
  };
}
