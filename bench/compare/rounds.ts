/** Rounds: everyone does the same work in turn, so that a slow moment of the machine meets all. */

export interface Contestant {
  /** Seconds (or bytes) of its share of one round. */
  run(): Promise<readonly number[]>;
  /** Waits until it sleeps. */
  settle(): Promise<void>;
}

/** For each contestant, for each round, what it measured. The first round of all is a warm-up. */
export async function runRounds(
  contestants: readonly Contestant[],
  rounds: number,
): Promise<number[][][]> {
  const measured: number[][][] = contestants.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const samples = await contestant.run();
      await contestant.settle();
      if (round >= 0) measured[i]!.push([...samples]);
    }
  }
  return measured;
}
