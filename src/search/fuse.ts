import type { Scored } from "./vector-search.ts";

/** Of Cormack, Clarke and Büttcher (SIGIR 2009), who found that little depends on it. */
const RANK_OFFSET = 60;

/**
 * Reciprocal rank fusion: what is high in several orders is high in all. Scores of different kinds
 * need not be compared.
 */
export function fuse(orders: readonly (readonly Scored[])[]): Scored[] {
  const sums = new Map<number, number>();
  for (const order of orders) {
    for (const [rank, { passage }] of order.entries()) {
      sums.set(passage, (sums.get(passage) ?? 0) + 1 / (RANK_OFFSET + rank + 1));
    }
  }
  return [...sums]
    .map(([passage, score]) => ({ passage, score }))
    .sort((a, b) => b.score - a.score);
}
