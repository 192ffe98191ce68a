import type { NativeBatch } from "../native/engine.ts";
import type { Shape } from "../scheduler/fair-queue.ts";

interface WithIds {
  readonly ids: Int32Array;
}

/** Texts one after another, as the engine takes them. */
export function batchOf(
  texts: readonly WithIds[],
  { dimensions, normalize }: Shape,
  tokenLevel: boolean,
): NativeBatch {
  const lengths = Uint32Array.from(texts, ({ ids }) => ids.length);
  const ids = new Int32Array(lengths.reduce((total, length) => total + length, 0));
  let at = 0;
  for (const text of texts) {
    ids.set(text.ids, at);
    at += text.ids.length;
  }
  return { ids, lengths, dimensions, normalize, tokenLevel };
}

/** Each text's part of what the engine gave: `[dimensions]`, or `[tokens][dimensions]`. */
export function vectorsOf(
  output: Float32Array,
  texts: readonly WithIds[],
  { dimensions }: Shape,
  tokenLevel: boolean,
): Float32Array[] {
  let at = 0;
  return texts.map(({ ids }) => {
    const begin = at;
    at += (tokenLevel ? ids.length : 1) * dimensions;
    return output.subarray(begin, at);
  });
}
