/** How good rankings and similarities are. Equal scores are ties, as binary vectors give. */

/**
 * nDCG at `k` of one query: 1 where the best documents come first, 0 where none of the first `k` is
 * of use.
 *
 * DCG is the sum of `gain / log2(rank + 1)` over the first `k` ranks (Järvelin and Kekäläinen,
 * "Cumulated gain-based evaluation of IR techniques", 2002, with the gain itself and not
 * `2^gain - 1`), divided by that of the best order. Documents of equal score share their ranks:
 * each counts at all of them by its share, which is the mean over all orders of the tie (McSherry
 * and Najork, "Computing information retrieval performance measures efficiently in the presence of
 * tied scores", 2008).
 *
 * @param scores - `[documents]`, higher is better
 * @param gains - `[documents]`, from 0; one of them above it
 */
export function ndcg(scores: readonly number[], gains: readonly number[], k = 10): number {
  const ideal = gains.toSorted((a, b) => b - a);
  const best = ideal.reduce((sum, gain, rank) => sum + gain * discount(rank, k), 0);
  if (scores.length !== gains.length || !(best > 0)) {
    throw new Error(`${scores.length} scores of ${gains.length} gains, whose best DCG is ${best}`);
  }
  const order = descending(scores);
  let sum = 0;
  for (let start = 0; start < order.length && start < k; ) {
    let gain = 0;
    let weight = 0;
    let end = start;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) {
      gain += gains[order[end]!]!;
      weight += discount(end, k);
      end++;
    }
    sum += (gain / (end - start)) * weight;
    start = end;
  }
  return sum / best;
}

/** @param rank - from 0 */
function discount(rank: number, k: number): number {
  return rank < k ? 1 / Math.log2(rank + 2) : 0;
}

function descending(scores: readonly number[]): number[] {
  return scores.map((_, index) => index).sort((a, b) => scores[b]! - scores[a]!);
}

/**
 * Spearman's rank correlation of two lists, -1 to 1: Pearson's correlation of their ranks, where
 * equal values have the mean of the ranks that they take together (Spearman, "The proof and
 * measurement of association between two things", 1904; so in `scipy.stats.spearmanr`). 0 where one
 * of the lists has a single value.
 *
 * The lists are sorted once, so that many resamples of them cost little.
 */
export class RankCorrelation {
  readonly #orders: readonly [number[], number[]];
  readonly #values: readonly [readonly number[], readonly number[]];

  constructor(first: readonly number[], second: readonly number[]) {
    if (first.length !== second.length) throw new Error(`${first.length} and ${second.length}`);
    this.#values = [first, second];
    this.#orders = [descending(first), descending(second)];
  }

  /** @param counts - `[items]`: how often each counts; once by default */
  of(counts: ArrayLike<number> = this.#values[0].map(() => 1)): number {
    const [first, second] = [this.#centredRanks(0, counts), this.#centredRanks(1, counts)];
    let product = 0;
    let firstSquares = 0;
    let secondSquares = 0;
    for (const [index, x] of first.entries()) {
      const [y, count] = [second[index]!, counts[index]!];
      product += count * x * y;
      firstSquares += count * x * x;
      secondSquares += count * y * y;
    }
    const squares = firstSquares * secondSquares;
    return squares > 0 ? product / Math.sqrt(squares) : 0;
  }

  /** Each item's rank less the mean of all ranks. */
  #centredRanks(list: 0 | 1, counts: ArrayLike<number>): Float64Array {
    const [order, values] = [this.#orders[list], this.#values[list]];
    const ranks = new Float64Array(order.length);
    let before = 0;
    for (let start = 0; start < order.length; ) {
      let end = start;
      let count = 0;
      while (end < order.length && values[order[end]!] === values[order[start]!]) {
        count += counts[order[end++]!]!;
      }
      const rank = before + (count + 1) / 2;
      while (start < end) ranks[order[start++]!] = rank;
      before += count;
    }
    const mean = (before + 1) / 2;
    return ranks.map((rank) => rank - mean);
  }
}
