/**
 * Divides texts into batches: whole texts, longest first, each batch within a budget of tokens. No
 * padding is ever needed; sorting keeps the texts of a batch alike, so that threads share it
 * evenly.
 *
 * @param texts none with more tokens than `budget`
 * @param budget most tokens in one batch
 */
export function divideIntoBatches<T extends { readonly ids: Int32Array }>(
  texts: readonly T[],
  budget: number,
): T[][] {
  const batches: T[][] = [];
  let current: T[] = [];
  let room = 0;
  for (const text of texts.toSorted((a, b) => b.ids.length - a.ids.length)) {
    const { length } = text.ids;
    if (length > room || current.length === 0) {
      current = [];
      batches.push(current);
      room = budget;
    }
    current.push(text);
    room -= length;
  }
  return batches;
}
