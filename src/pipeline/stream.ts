import { abortable } from "./abortable.ts";

/** Most texts that are read ahead. */
const GROUP_TEXTS_MAX = 1024;
/** Milliseconds to wait for a slow source before what is there goes out. */
const PATIENCE_MS = 5;

/** What becomes of an input: a prepared text `T`, and of that a result `R`. */
export interface StreamStages<I, T extends { readonly ids: Int32Array }, R> {
  /** Tokens after which a group is full. */
  readonly tokenBudget: number;
  readonly signal?: AbortSignal | undefined;
  /** The signal of both also aborts when nobody takes results any more. */
  prepare(input: I, index: number, signal: AbortSignal): Promise<T>;
  embed(group: readonly T[], signal: AbortSignal): Promise<R[]>;
}

interface Group<T> {
  readonly texts: readonly T[];
  /** What ended the input early; raised after the texts before it. */
  readonly failure?: { readonly error: unknown };
}

/**
 * Results in input order, in constant memory: while one group of texts runs, the next is read and
 * waits behind it; nothing is read beyond that. A slow source's texts do not wait for company.
 */
export async function* streamInGroups<I, T extends { readonly ids: Int32Array }, R>(
  inputs: Iterable<I> | AsyncIterable<I>,
  stages: StreamStages<I, T, R>,
): AsyncGenerator<R & { index: number }> {
  const leaving = new AbortController();
  const signals = [leaving.signal, stages.signal].filter((signal) => signal !== undefined);
  const signal = AbortSignal.any(signals);
  const groups = readGroups(inputs, stages, signal);
  const next = () => quiet(groups.next().then((read) => start(read, stages, signal)));
  let index = 0;
  try {
    let current = await next();
    while (current !== undefined) {
      // Read and under way while this one's results are taken.
      const following = next();
      for (const result of await current.results) yield { index: index++, ...result };
      if (current.failure !== undefined) throw current.failure.error;
      current = await following;
    }
  } finally {
    // Wakes a reader that waits for its source, so that leaving never waits for it, and cancels
    // what is under way.
    leaving.abort();
    await groups.return(undefined);
  }
}

function start<T extends { readonly ids: Int32Array }, R>(
  read: IteratorResult<Group<T>, void>,
  stages: Pick<StreamStages<never, T, R>, "embed">,
  signal: AbortSignal,
) {
  if (read.done) return undefined;
  const { texts, failure } = read.value;
  const results = texts.length === 0 ? Promise.resolve([]) : stages.embed(texts, signal);
  return { results: quiet(results), failure };
}

/** A promise that is awaited later, if at all: until then nobody minds that it fails. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

async function* readGroups<I, T extends { readonly ids: Int32Array }>(
  inputs: Iterable<I> | AsyncIterable<I>,
  { tokenBudget, prepare }: Pick<StreamStages<I, T, unknown>, "tokenBudget" | "prepare">,
  signal: AbortSignal,
): AsyncGenerator<Group<T>, void> {
  const source = iterate(inputs);
  let group: T[] = [];
  let tokens = 0;
  let position = 0;
  /** The next text, on its way from the source and through the tokenizer. */
  let pending: Promise<{ readonly text: T | undefined }> | undefined;
  /** By itself or by a failure: who ended so is not told to end. */
  let hasEnded = false;
  const nextText = async () => {
    const next = await Promise.try(() => source.next()).catch((error) => {
      hasEnded = true;
      throw error;
    });
    hasEnded = next.done === true;
    return next.done ? undefined : await prepare(next.value, position++, signal);
  };
  try {
    while (true) {
      pending ??= nextText().then((text) => ({ text }));
      const patience = group.length === 0 ? Number.POSITIVE_INFINITY : PATIENCE_MS;
      const next = await abortable(within(pending, patience), signal);
      if (next !== undefined) {
        pending = undefined;
        if (next.text === undefined) break;
        group.push(next.text);
        tokens += next.text.ids.length;
        if (tokens < tokenBudget && group.length < GROUP_TEXTS_MAX) continue;
      }
      yield { texts: group };
      group = [];
      tokens = 0;
    }
    if (group.length > 0) yield { texts: group };
  } catch (error) {
    yield { texts: group, failure: { error } };
  } finally {
    // A generator that is still at its last value would answer only after giving that.
    const closing = hasEnded ? undefined : source.return?.();
    if (pending === undefined) await closing;
    else Promise.resolve(closing).catch(() => {});
  }
}

function iterate<I>(inputs: Iterable<I> | AsyncIterable<I>): Iterator<I> | AsyncIterator<I> {
  return Symbol.asyncIterator in inputs
    ? inputs[Symbol.asyncIterator]()
    : inputs[Symbol.iterator]();
}

/** What `promise` gives, or undefined when that takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  if (ms === Number.POSITIVE_INFINITY) return await promise;
  const first = Promise.withResolvers<T | undefined>();
  promise.then(first.resolve, first.reject);
  const timer = setTimeout(first.resolve, ms);
  try {
    return await first.promise;
  } finally {
    clearTimeout(timer);
  }
}
