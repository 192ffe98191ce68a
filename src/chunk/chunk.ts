import { invalidArgument } from "../errors.ts";
import { turns } from "../scheduler/turns.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { TokenCounter } from "./counter.ts";
import { UnitQueue } from "./queue.ts";
import type { Chunk, ChunkOptions } from "./types.ts";
import { LEVEL } from "./units.ts";

/** Tokens that every character has room in: some are four bytes with a token each. */
const ROOM_MIN = 8;
/** Of the room, what a chunk fills at least to end where the text is cut best. */
const FILL_MIN = 0.5;

/**
 * Cuts a document into chunks of at most `maxTokens`, counted as the model will count each. A chunk
 * ends before the best boundary of the text that leaves it at least half full: a heading, a
 * paragraph, a line, a sentence, a word, a grapheme. Every character that is no white space is in a
 * chunk; a document of white space alone has none.
 *
 * Takes time in proportion to the document, in slices of some milliseconds. Rejects with
 * `INVALID_ARGUMENT` for options out of range.
 */
export async function* chunkText(
  tokenizer: Tokenizer,
  contextLength: number,
  text: string,
  options: ChunkOptions = {},
): AsyncGenerator<Chunk, void, undefined> {
  const chunks = chunkInSteps(tokenizer, contextLength, text, options);
  for (;;) {
    const chunk = await turns.finish(next(chunks), options.signal);
    if (chunk === undefined) return;
    yield chunk;
  }
}

function* next(chunks: Iterator<Chunk | undefined>): Generator<undefined, Chunk | undefined> {
  for (;;) {
    const { done, value } = chunks.next();
    if (done || value !== undefined) return value;
    yield;
  }
}

/** The chunks of a document, and `undefined` whenever it is time to look after other work. */
export function* chunkInSteps(
  tokenizer: Tokenizer,
  contextLength: number,
  text: string,
  options: ChunkOptions = {},
): Generator<Chunk | undefined, void, undefined> {
  const { prompt = "", maxTokens = contextLength, overlap = 0 } = options;
  const special = tokenizer.prefix.length + tokenizer.suffix.length;
  const counter = new TokenCounter(tokenizer);
  const room = maxTokens - special - (yield* counter.count(prompt));
  checkOptions({ maxTokens, overlap, contextLength, room });
  const queue = new UnitQueue(text, counter);
  for (let index = 0; (yield* queue.at(0)) !== undefined; index++) {
    let limit = room;
    for (;;) {
      const cut = yield* fill(queue, limit);
      if (cut === queue.repeated) {
        // What is repeated leaves no room for anything else.
        queue.begin(cut, 0);
        limit = room;
        continue;
      }
      const start = queue.known(0).content;
      const { end } = queue.known(cut - 1);
      const chunk = text.slice(start, end);
      const tokens = special + (yield* counter.count(prompt + chunk));
      if (tokens > maxTokens) {
        // Units together may have more tokens than one by one.
        const lower = Math.min(limit, yield* sumOf(queue, cut)) - (tokens - maxTokens);
        // The first may be whole without the others.
        limit = cut === 1 ? lower : Math.max(lower, Math.min(yield* queue.own(0), limit - 1));
        if (cut === 1 && (yield* queue.divide(0, LEVEL.CODE_POINTS)) === 0) throw noRoom(maxTokens);
        continue;
      }
      yield { text: chunk, start, end, tokens, index };
      yield* advance(queue, cut, overlap);
      break;
    }
  }
}

/** Returns how many units make a chunk of at most `limit` tokens, as far as units tell. */
function* fill(queue: UnitQueue, limit: number): Generator<undefined, number, undefined> {
  let tokens = 0;
  let best = 0;
  let strength = -1;
  for (let count = 0; ; ) {
    const unit = yield* queue.at(count);
    if (unit === undefined) return count;
    const isFresh = count > queue.repeated;
    const isFull = isFresh && tokens >= limit * FILL_MIN;
    if (isFull && unit.strength >= strength) {
      best = count;
      strength = unit.strength;
    }
    const more = count === 0 ? yield* queue.own(0) : unit.tokens;
    if (tokens + more <= limit) {
      tokens += more;
      count++;
      continue;
    }
    if (isFull) return best;
    // Dividing the unit would not help against the white space before it.
    if (count > 0 && more - (yield* queue.own(count)) > limit / 2) return count;
    // A grapheme is divided only where it begins a chunk and has no room even so.
    const deepest = count === 0 ? LEVEL.CODE_POINTS : LEVEL.GRAPHEMES;
    if ((yield* queue.divide(count, deepest)) > 0) continue;
    // A single character is tried even if it seems to have no room.
    return count === 0 ? 1 : count;
  }
}

function* advance(
  queue: UnitQueue,
  cut: number,
  overlap: number,
): Generator<undefined, void, undefined> {
  const isEnd = (yield* queue.at(cut)) === undefined;
  const [first, end] = isEnd || overlap === 0 ? [cut, cut] : yield* queue.repeat(cut, overlap);
  queue.begin(first, end - first);
}

function* sumOf(queue: UnitQueue, count: number): Generator<undefined, number, undefined> {
  let tokens = yield* queue.own(0);
  for (let i = 1; i < count; i++) tokens += queue.known(i).tokens;
  return tokens;
}

interface Checked {
  readonly maxTokens: number;
  readonly overlap: number;
  readonly contextLength: number;
  /** Tokens for the text alone. */
  readonly room: number;
}

function checkOptions({ maxTokens, overlap, contextLength, room }: Checked): void {
  if (!Number.isInteger(maxTokens) || maxTokens > contextLength) {
    const expected = `expected a whole number up to the model's context, ${contextLength}`;
    throw invalidArgument(`chunk: maxTokens is ${maxTokens}; ${expected}`);
  }
  if (room < ROOM_MIN) throw noRoom(maxTokens);
  if (!Number.isInteger(overlap) || overlap < 0 || overlap >= room / 2) {
    const expected = `expected a whole number from 0 to less than ${room / 2}`;
    const reason = `half of the ${room} tokens that a chunk has room for`;
    throw invalidArgument(`chunk: overlap is ${overlap}; ${expected}, ${reason}`);
  }
}

function noRoom(maxTokens: number): Error {
  const what = `maxTokens is ${maxTokens}, which leaves no room for a text`;
  const need = `beside the prompt and the special tokens it needs ${ROOM_MIN}`;
  return invalidArgument(`chunk: ${what}; ${need}`);
}
