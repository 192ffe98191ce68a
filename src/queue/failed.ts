import { checkChoice } from "../pipeline/settings.ts";
import { failedIds } from "./failed-ids.ts";
import { openQueue } from "./open.ts";
import type { FailedBatch, QueuePlace, RetryOptions } from "./types.ts";

/**
 * The batches that were given up, with their texts' ids and the reason. A text that the model
 * refuses is a batch of its own: the others of its batch are done.
 *
 * Rejects with `INVALID_ARGUMENT`, `QUEUE_UNREACHABLE`, `MISSING_PACKAGE`.
 */
export async function* failedTexts(place: QueuePlace = {}): AsyncGenerator<FailedBatch> {
  await using open = await openQueue(place);
  for await (const ids of failedIds(open)) {
    for (const id of ids) {
      const job = await open.queue.getJob(id);
      if (job === undefined) continue;
      const { failedReason: reason = "", attemptsMade: attempts } = job;
      yield { ids: job.data.ids, reason, attempts };
    }
  }
}

/**
 * Puts the texts that were given up back into the queue, with all their attempts. Gives their
 * number.
 *
 * Rejects with `INVALID_ARGUMENT`, `QUEUE_UNREACHABLE`, `MISSING_PACKAGE`.
 */
export async function retryFailed(options: RetryOptions = {}): Promise<number> {
  const { truncate } = options;
  if (truncate !== undefined) checkChoice("truncate", truncate, ["error", "end", "start"]);
  await using open = await openQueue(options);
  // First all ids: one that fails again meanwhile would come again.
  const all: string[] = [];
  for await (const ids of failedIds(open)) all.push(...ids);
  let texts = 0;
  for (const id of all) {
    const job = await open.queue.getJob(id);
    if (job === undefined || !(await job.isFailed())) continue;
    if (truncate !== undefined) await job.updateData({ ...job.data, truncate });
    texts += job.data.texts.length;
    await job.retry("failed", { resetAttemptsMade: true });
  }
  return texts;
}

/**
 * Forgets a queue: what waits, what failed, what was done, its model and settings. Results stay
 * where they are.
 *
 * Rejects with `INVALID_ARGUMENT`, `QUEUE_UNREACHABLE`, `MISSING_PACKAGE`.
 */
export async function clearQueue(place: QueuePlace = {}): Promise<void> {
  await using open = await openQueue(place);
  await open.queue.obliterate({ force: true });
  await open.ledger.clear();
}
