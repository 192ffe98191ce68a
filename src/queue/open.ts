import type { JobsOptions, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { invalidArgument } from "../errors.ts";
import { type BatchData, batchId } from "./batch.ts";
import { Ledger } from "./ledger.ts";
import { optional } from "./packages.ts";
import { connectRedis } from "./redis.ts";
import type { QueuePlace } from "./types.ts";

/** Of all keys in Redis. */
export const PREFIX = "ggufembed";
const QUEUE_DEFAULT = "default";
const JOB_NAME = "batch";
const ATTEMPTS_DEFAULT = 8;
const BACKOFF_MS = 1000;

export type Bullmq = typeof import("bullmq");

export const loadBullmq = (): Promise<Bullmq> =>
  optional(() => import("bullmq"), "bullmq ioredis", "a queue");

/** A queue as both sides use it. */
export interface OpenQueue extends AsyncDisposable {
  readonly name: string;
  readonly connection: Redis;
  readonly queue: Queue<BatchData, unknown, string>;
  readonly ledger: Ledger;
}

/** Rejects with `INVALID_ARGUMENT`, `MISSING_PACKAGE`, `QUEUE_UNREACHABLE`. */
export async function openQueue(place: QueuePlace): Promise<OpenQueue> {
  const name = place.queue ?? QUEUE_DEFAULT;
  if (typeof name !== "string" || !/^[^:\s]+$/.test(name)) {
    throw invalidArgument(`the queue's name is ${JSON.stringify(name)}: no colon, no white space`);
  }
  const { Queue } = await loadBullmq();
  const connection = await connectRedis(place.redis);
  const queue = new Queue<BatchData, unknown, string>(name, { connection, prefix: PREFIX });
  // Without a listener it would end the process; the connection comes back by itself.
  queue.on("error", () => {});
  return {
    name,
    connection,
    queue,
    ledger: new Ledger(connection, (key) => queue.toKey(key)),
    async [Symbol.asyncDispose]() {
      await queue.close();
      connection.disconnect();
    },
  };
}

/** A batch as `Queue.addBulk` takes it. BullMQ ignores one whose id it has. */
export function jobOf(data: BatchData, attempts: number = ATTEMPTS_DEFAULT) {
  const opts: JobsOptions = {
    jobId: batchId(data),
    attempts,
    backoff: { type: "exponential", delay: BACKOFF_MS, jitter: 0.5 },
    // Their texts would fill Redis; the ledger remembers them.
    removeOnComplete: true,
    stackTraceLimit: 0,
    keepLogs: 0,
  };
  return { name: JOB_NAME, data, opts };
}
