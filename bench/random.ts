/** Marsaglia's xorshift: numbers from 0 to 2^32 - 1, the same for the same seed (not 0). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
