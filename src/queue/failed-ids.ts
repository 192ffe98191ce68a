import type { OpenQueue } from "./open.ts";

const PAGE = 1000;

/** The batches that were given up, page by page, those of now. */
export async function* failedIds({ queue, connection }: OpenQueue): AsyncGenerator<string[]> {
  for (let start = 0; ; start += PAGE) {
    const ids = await connection.zrange(queue.toKey("failed"), start, start + PAGE - 1);
    if (ids.length > 0) yield ids;
    if (ids.length < PAGE) return;
  }
}
