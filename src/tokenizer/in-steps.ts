import type { Tokenizer } from "./types.ts";

/** UTF-16 units up to which a text is no work to speak of. */
const SHORT_UNITS_MAX = 8192;

/** A long text's ids in steps, a short one's at once: that needs no encoder of its own. */
export function* encodeByLength(
  tokenizer: Tokenizer,
  text: string,
): Generator<undefined, Int32Array, undefined> {
  if (text.length <= SHORT_UNITS_MAX) return tokenizer.encode(text);
  return yield* tokenizer.encodeInSteps(text);
}
