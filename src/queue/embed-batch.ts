import { GgufEmbedError } from "../errors.ts";
import type { EmbedResult } from "../types.ts";
import type { BatchData } from "./batch.ts";
import type { Feed } from "./feed.ts";
import type { ResultRow } from "./results/types.ts";

/** What trying again will not change. */
const PERMANENT: ReadonlySet<string> = new Set([
  "INPUT_TOO_LONG",
  "INVALID_ARGUMENT",
  "NOT_FINITE",
]);

/** A text that the model refuses. */
export interface Refused {
  /** Position in the batch. */
  readonly index: number;
  readonly reason: string;
}

export interface Embedded {
  readonly rows: readonly ResultRow[];
  readonly refused: readonly Refused[];
}

/** Embeds what the model takes of a batch. Rejects with what may go better another time. */
export async function embedBatch(
  feed: Feed,
  data: BatchData,
  signal: AbortSignal | undefined,
): Promise<Embedded> {
  const { texts, ids, truncate } = data;
  const refused: Refused[] = [];
  let open = texts.map((_, index) => index);
  while (open.length > 0) {
    try {
      const wanted = open.map((index) => texts[index]!);
      const results = await feed.embed(wanted, truncate, signal);
      return { rows: open.map((index, i) => rowOf(data, index, results[i]!)), refused };
    } catch (error) {
      if (!(error instanceof GgufEmbedError) || !PERMANENT.has(error.code)) throw error;
      if (error.index === undefined) throw error;
      const index = open[error.index]!;
      const reason = error.message.replace(`text ${error.index} `, `text ${quote(ids[index]!)} `);
      refused.push({ index, reason });
      open = open.filter((each) => each !== index);
    }
  }
  return { rows: [], refused };
}

const quote = (id: string) => JSON.stringify(id);

function rowOf({ ids, fields }: BatchData, index: number, result: EmbedResult): ResultRow {
  const { embedding, tokens, truncated } = result;
  return { id: ids[index]!, fields: fields[index]!, tokens, truncated, embedding };
}
