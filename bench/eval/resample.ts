import { randomNumbers } from "../random.ts";

/** How often each item of a list is in each of many resamples. */
export type Resamples = readonly Uint8Array[];

/**
 * Resamples of a list for the bootstrap (Efron, "Bootstrap methods: another look at the jackknife",
 * 1979): each draws as many items as there are, with replacement. It draws from each stratum apart,
 * so that no resample lacks the items that all languages share.
 *
 * @param strata - `[items]`: which items are drawn together
 */
export function makeResamples(strata: readonly unknown[], count: number, seed: number): Resamples {
  const random = randomNumbers(seed);
  const groups = [...Map.groupBy(strata.keys(), (index) => strata[index]).values()];
  return Array.from({ length: count }, () => {
    const counts = new Uint8Array(strata.length);
    for (const group of groups) {
      for (const _ of group) counts[group[Math.floor((random() / 2 ** 32) * group.length)]!]! += 1;
    }
    return counts;
  });
}
