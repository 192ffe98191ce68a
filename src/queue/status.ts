import { failedIds } from "./failed-ids.ts";
import { type OpenQueue, openQueue } from "./open.ts";
import type { QueueDoneOptions, QueuePlace, QueueStatus } from "./types.ts";

const POLL_MS = 250;
/** Where a batch is that is not finished. */
const UNFINISHED = ["waiting", "active", "delayed", "prioritized"] as const;

/**
 * How far a queue is.
 *
 * Rejects with `INVALID_ARGUMENT`, `QUEUE_UNREACHABLE`, `MISSING_PACKAGE`.
 */
export async function queueStatus(place: QueuePlace = {}): Promise<QueueStatus> {
  await using open = await openQueue(place);
  return await readStatus(open);
}

/**
 * Waits until every batch of a queue is done or failed, and tells how it ended.
 *
 * Rejects as `queueStatus` does, or with the signal's reason.
 */
export async function queueDone(options: QueueDoneOptions = {}): Promise<QueueStatus> {
  await using open = await openQueue(options);
  for (;;) {
    options.signal?.throwIfAborted();
    // In this order: a batch that is cut up meanwhile is seen whole or in parts.
    const counts = await open.queue.getJobCounts(...UNFINISHED);
    const status = await readStatus(open);
    options.onProgress?.(status);
    if (Object.values(counts).every((count) => count === 0)) return status;
    await Bun.sleep(POLL_MS);
  }
}

async function readStatus(open: OpenQueue): Promise<QueueStatus> {
  const { queue, ledger } = open;
  const [counts, settings, model, { active = 0, delayed = 0 }, failed] = await Promise.all([
    ledger.counts(),
    ledger.settings(),
    ledger.model(),
    queue.getJobCounts("active", "delayed"),
    failedTextCount(open),
  ]);
  return {
    ...counts,
    failed,
    waiting: Math.max(0, counts.texts - counts.done - failed),
    active,
    delayed,
    task: settings?.task ?? null,
    dimensions: settings?.dimensions ?? null,
    model: model.name,
    fingerprint: model.fingerprint,
  };
}

async function failedTextCount(open: OpenQueue): Promise<number> {
  let texts = 0;
  for await (const ids of failedIds(open)) texts += await open.ledger.textsOf(ids);
  return texts;
}
