import type { IdList } from "./scratch.ts";

/**
 * Work between two steps of `encodeInSteps`: bytes read, and eight for what costs about as much as
 * eight of them. Half a millisecond to a millisecond on the machines at hand.
 */
export const STEP_WORK = 2 ** 16;
/** Of a look-up in the vocabulary, with what is done about its result. */
export const LOOKUP_WORK = 8;
/** Enough for any text, in steps that are small integers. */
const UNBOUNDED_WORK = 2 ** 30;
/** Ids that are copied in one step: a megabyte. */
const COPIED_MAX = 2 ** 18;

/** How much may still be done before control is given back. May end a little below zero. */
export class Work {
  left = 0;
}

/**
 * One text on its way to ids. All that is known of the text is in here, so that any number of texts
 * can be on their way at the same time.
 */
export interface Encoder {
  readonly work: Work;
  /** The ids so far; who calls may take them out between two calls of `advance`. */
  readonly ids: IdList;
  begin(text: string): void;
  /** Goes on until all ids are there (true), or until no work is left. */
  advance(): boolean;
  /** Forgets the text, even after an error, and gives back what a huge one needed. */
  reset(): void;
}

export function encodeAtOnce(encoder: Encoder, text: string): Int32Array {
  try {
    encoder.begin(text);
    do encoder.work.left = UNBOUNDED_WORK;
    while (!encoder.advance());
    return encoder.ids.take();
  } finally {
    encoder.reset();
  }
}

/** The encoder is this text's alone, so that it goes when the generator does. */
export function* encodeInSteps(
  encoder: Encoder,
  text: string,
): Generator<undefined, Int32Array, undefined> {
  const parts: Int32Array[] = [];
  encoder.begin(text);
  for (;;) {
    encoder.work.left = STEP_WORK;
    const isDone = encoder.advance();
    parts.push(encoder.ids.take());
    encoder.ids.reset();
    if (isDone) break;
    yield;
  }
  encoder.reset();
  return yield* joined(parts);
}

function* joined(parts: readonly Int32Array[]): Generator<undefined, Int32Array, undefined> {
  if (parts.length === 1) return parts[0]!;
  const ids = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let length = 0;
  let copied = 0;
  for (const part of parts) {
    ids.set(part, length);
    length += part.length;
    copied += part.length;
    if (copied < COPIED_MAX) continue;
    copied = 0;
    yield;
  }
  return ids;
}
