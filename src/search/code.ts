/*
 * A vector as a few bits a component, so that SQLite can compare 100,000 of them by Hamming
 * distance in some 15 ms. A bit says whether a component is above a threshold. With several
 * thresholds, as many bits differ as lie between two components: the distance is the sum of the
 * absolute differences, coarsely.
 */

/**
 * Thresholds in units of a component's root mean square, `1 / √dimensions` of a unit vector: those
 * that cut a normal distribution into equal parts. Measured on 100,000 chunks and MiniLM
 * (docs/search.md): the best ten are among the nearest 1000 codes for 0.88 of them with one
 * threshold and queries off the topic, for 0.97 with two, and for 0.99 with three.
 */
const THRESHOLDS = [[0], [-0.43, 0.43], [-0.67, 0, 0.67]] as const;
/** About how long a code should be: each 384 bits more take 2 ms of 100,000. */
const BITS_WANTED = 1152;
/** Whole words are compared three times as fast as bytes. */
const WORD_BYTES = 8;

/** The code of a vector of length 1. */
export function codeOf(vector: Float32Array): Uint8Array {
  const { length } = vector;
  const wanted = Math.round(BITS_WANTED / length);
  const thresholds = THRESHOLDS[Math.min(Math.max(wanted, 1), THRESHOLDS.length) - 1]!;
  const bytes = Math.ceil((length * thresholds.length) / 8 / WORD_BYTES) * WORD_BYTES;
  const code = new Uint8Array(bytes);
  let bit = 0;
  for (const threshold of thresholds) {
    const limit = threshold / Math.sqrt(length);
    for (const component of vector) {
      if (component > limit) code[bit >> 3]! |= 1 << (bit & 7);
      bit++;
    }
  }
  return code;
}
