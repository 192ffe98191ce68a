import { GgufEmbedError, invalidArgument } from "../errors.ts";
import { atOnce } from "../scheduler/turns.ts";
import { encodeByLength } from "../tokenizer/in-steps.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import type { TextInput, Truncate } from "../types.ts";

/** A text as the model takes it. */
export interface PreparedText {
  /** Special tokens included. */
  readonly ids: Int32Array;
  /** Tokens that were dropped. */
  readonly truncated: number;
}

export interface TextLimits {
  readonly tokenizer: Tokenizer;
  /** Longest text in tokens, special tokens included. */
  readonly contextLength: number;
}

/** What is done to every text of a call. */
export interface Preparation {
  /** What goes before the text, as it is; may be empty. */
  readonly prompt: string;
  readonly truncate: Truncate;
}

/**
 * Tokenizes one text, prompt before it, and cuts it to the context; or cuts tokens that are there
 * already. Cutting drops tokens of the text alone: the prompt and the special tokens stay. A long
 * text takes several steps, between which the caller may do other work.
 *
 * @param index of the text in the caller's input, for the error
 */
export function* prepareInSteps(
  limits: TextLimits,
  preparation: Preparation,
  input: TextInput,
  index: number,
): Generator<undefined, PreparedText, undefined> {
  if (typeof input !== "string") return prepareTokens(limits, preparation, input, index);
  const content = yield* encodeByLength(limits.tokenizer, preparation.prompt + input);
  return fit(limits, preparation, content, index);
}

/** The same at once. */
export function prepareText(
  limits: TextLimits,
  preparation: Preparation,
  input: TextInput,
  index: number,
): PreparedText {
  return atOnce(prepareInSteps(limits, preparation, input, index));
}

function fit(
  limits: TextLimits,
  { prompt, truncate }: Preparation,
  content: Int32Array,
  index: number,
): PreparedText {
  const { tokenizer, contextLength } = limits;
  const { prefix, suffix } = tokenizer;
  const specials = prefix.length + suffix.length;
  const excess = content.length + specials - contextLength;
  if (excess <= 0) {
    if (content.length + specials === 0) throw noTokens(index);
    return { ids: surround(tokenizer, content), truncated: 0 };
  }
  if (truncate === "error") throw tooLong(index, content.length + specials, limits);
  const room = contextLength - specials;
  const kept =
    truncate === "end" ? content.subarray(0, room) : keepEnd(tokenizer, prompt, content, room);
  return { ids: surround(tokenizer, kept), truncated: excess };
}

/** The prompt's own tokens, then the text's last ones. */
function keepEnd(
  tokenizer: Tokenizer,
  prompt: string,
  content: Int32Array,
  room: number,
): Int32Array {
  const head = prompt === "" ? new Int32Array(0) : tokenizer.encode(prompt).subarray(0, room);
  const kept = new Int32Array(room);
  kept.set(head);
  kept.set(content.subarray(content.length - (room - head.length)), head.length);
  return kept;
}

/** Tokens are taken as they are; special tokens that they begin and end with stay when cut. */
function prepareTokens(
  limits: TextLimits,
  { prompt, truncate }: Preparation,
  ids: Int32Array,
  index: number,
): PreparedText {
  const { tokenizer, contextLength } = limits;
  if (prompt !== "") {
    throw invalidArgument(
      `text ${index} has a prompt, but token ids are taken as they are; ` +
        "leave out task, title and prompt, or tokenize prompt and text together",
      { index },
    );
  }
  if (ids.length === 0) throw noTokens(index);
  const alien = ids.find((id) => id < 0 || id >= tokenizer.vocabSize);
  if (alien !== undefined) {
    throw invalidArgument(
      `text ${index} has the token ${alien}, which this model's vocabulary of ` +
        `${tokenizer.vocabSize} lacks; tokenize with this model`,
      { index },
    );
  }
  const excess = ids.length - contextLength;
  if (excess <= 0) return { ids, truncated: 0 };
  if (truncate === "error") throw tooLong(index, ids.length, limits);
  const begin = tokenizer.prefix.every((id, i) => ids[i] === id) ? tokenizer.prefix.length : 0;
  const { suffix } = tokenizer;
  const endsWell = suffix.every((id, i) => ids[ids.length - suffix.length + i] === id);
  const end = ids.length - (endsWell ? suffix.length : 0);
  const kept = new Int32Array(contextLength);
  const cut = truncate === "end" ? end - excess : begin;
  kept.set(ids.subarray(0, cut));
  kept.set(ids.subarray(cut + excess), cut);
  return { ids: kept, truncated: excess };
}

/** A text's ids with the tokenizer's special tokens around them. */
export function surround({ prefix, suffix }: Tokenizer, content: Int32Array): Int32Array {
  const ids = new Int32Array(prefix.length + content.length + suffix.length);
  ids.set(prefix);
  ids.set(content, prefix.length);
  ids.set(suffix, prefix.length + content.length);
  return ids;
}

function tooLong(index: number, tokens: number, { contextLength }: TextLimits): Error {
  return new GgufEmbedError(
    "INPUT_TOO_LONG",
    `text ${index} has ${tokens} tokens, the model takes ${contextLength}; ` +
      'split it, or truncate its "end" or "start"',
    { index },
  );
}

function noTokens(index: number): Error {
  return invalidArgument(
    `text ${index} has no tokens, and this model adds none of its own; leave it out`,
    { index },
  );
}
