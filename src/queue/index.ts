/**
 * Bulk work on a queue: texts go into Redis, by BullMQ, and workers on any number of machines take
 * them out.
 *
 * @module
 */
export { enqueue } from "./enqueue.ts";
export { clearQueue, failedTexts, retryFailed } from "./failed.ts";
export { collectResults } from "./results/collect.ts";
export { queueDone, queueStatus } from "./status.ts";
export type {
  EnqueueOptions,
  EnqueueReport,
  FailedBatch,
  QueueDoneOptions,
  QueuePlace,
  QueueSettings,
  QueueStatus,
  QueueText,
  QueueWorker,
  QueueWorkerOptions,
  RetryOptions,
  WorkerCloseOptions,
  WorkerReport,
} from "./types.ts";
export { startWorker } from "./worker.ts";
