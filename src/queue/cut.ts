import { invalidArgument } from "../errors.ts";
import type { Truncate } from "../types.ts";
import { BATCH_CHARS, BATCH_TEXTS, type BatchData } from "./batch.ts";
import type { QueueText } from "./types.ts";

/** Settings of all batches of an input. */
export type BatchSettings = Pick<BatchData, "run"> & { readonly truncate: Truncate };

/**
 * Cuts an input into batches, always at the same places, in memory bounded by one batch.
 *
 * Throws `INVALID_ARGUMENT` for a text that is none, and for an id that a batch has twice: one of
 * the two vectors would be lost.
 */
export async function* cut(
  texts: Iterable<QueueText> | AsyncIterable<QueueText>,
  settings: BatchSettings,
): AsyncGenerator<BatchData> {
  let open = new OpenBatch(0);
  for await (const text of texts) {
    const position = open.position + open.texts.length;
    const fields = check(text, position);
    const chars = text.text.length + text.id.length + fields.length;
    if (open.isFullFor(chars)) {
      yield open.data(settings);
      open = new OpenBatch(position);
    }
    open.add(text, fields, chars);
  }
  if (open.texts.length > 0) yield open.data(settings);
}

class OpenBatch {
  readonly position: number;
  readonly texts: string[] = [];
  readonly #ids = new Set<string>();
  readonly #fields: string[] = [];
  #chars = 0;

  constructor(position: number) {
    this.position = position;
  }

  isFullFor(chars: number): boolean {
    const count = this.texts.length;
    return count === BATCH_TEXTS || (count > 0 && this.#chars + chars > BATCH_CHARS);
  }

  add({ text, id }: QueueText, fields: string, chars: number): void {
    if (this.#ids.has(id)) {
      throw invalidArgument(
        `text ${this.position + this.texts.length} has the id ${JSON.stringify(id)}, which ` +
          "a text shortly before it has: ids must tell texts apart",
      );
    }
    this.#ids.add(id);
    this.texts.push(text);
    this.#fields.push(fields);
    this.#chars += chars;
  }

  data(settings: BatchSettings): BatchData {
    const { texts, position } = this;
    return { texts, ids: [...this.#ids], fields: this.#fields, position, ...settings };
  }
}

/** The text's fields as JSON. */
function check({ text, id, fields = {} }: QueueText, position: number): string {
  if (typeof text !== "string") throw invalidArgument(`text ${position} is no string`);
  if (typeof id !== "string" || id === "") {
    throw invalidArgument(`the id of text ${position} is no string, or empty`);
  }
  const json = JSON.stringify(fields);
  if (json?.startsWith("{")) return json;
  throw invalidArgument(`the fields of text ${position} are no object`);
}
