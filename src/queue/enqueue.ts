import { GgufEmbedError, invalidArgument } from "../errors.ts";
import { checkChoice } from "../pipeline/settings.ts";
import { type BatchData, batchId } from "./batch.ts";
import { checkCount } from "./check-count.ts";
import { cut } from "./cut.ts";
import { jobOf, type OpenQueue, openQueue } from "./open.ts";
import type { EnqueueOptions, EnqueueReport, QueueSettings, QueueText } from "./types.ts";

/** Batches of a round trip to Redis. */
const GROUP = 16;
const WAITING_MAX_DEFAULT = 512;
const POLL_MS = 100;

/**
 * Puts texts into a queue, in batches of at most 128, and no faster than workers take them out.
 * Putting the same texts in again does nothing: a process that was killed is simply run again.
 *
 * Rejects with `INVALID_ARGUMENT`, `WRONG_MODEL` where the queue has texts by other settings,
 * `QUEUE_UNREACHABLE`, `MISSING_PACKAGE`, the signal's reason, or what reading `texts` threw.
 *
 * @example
 * ```ts
 * const texts = [{ id: "mars", text: "Mars looks rusty because of its iron." }];
 * const { batches, known } = await enqueue(texts, { run: "planets", queue: "notes" });
 * ```
 */
export async function enqueue(
  texts: Iterable<QueueText> | AsyncIterable<QueueText>,
  options: EnqueueOptions,
): Promise<EnqueueReport> {
  const { run, truncate = "error", waitingMax = WAITING_MAX_DEFAULT, attempts, signal } = options;
  if (typeof run !== "string" || run === "") throw invalidArgument("run is no name of this input");
  checkChoice("truncate", truncate, ["error", "end", "start"]);
  checkCount("waitingMax", waitingMax);
  if (attempts !== undefined) checkCount("attempts", attempts);
  signal?.throwIfAborted();
  await using open = await openQueue(options);
  await keepSettings(open, options);
  const producer = new Producer(open, options, waitingMax);
  let group: BatchData[] = [];
  for await (const batch of cut(texts, { run, truncate })) {
    group.push(batch);
    if (group.length < GROUP) continue;
    await producer.put(group);
    group = [];
  }
  await producer.put(group);
  return producer.report;
}

async function keepSettings({ name, ledger }: OpenQueue, options: EnqueueOptions): Promise<void> {
  const { task = null, dimensions = null } = options;
  if (dimensions !== null) checkCount("dimensions", dimensions);
  const wanted: QueueSettings = { task, dimensions };
  const kept = await ledger.keepSettings(wanted);
  if (kept.task === task && kept.dimensions === dimensions) return;
  throw new GgufEmbedError(
    "WRONG_MODEL",
    `the queue ${name} has texts for ${tell(kept)}, these are for ${tell(wanted)}: their vectors ` +
      "must not mix; use another queue",
  );
}

function tell({ task, dimensions }: QueueSettings): string {
  return `${task === null ? "no task" : `task ${task}`} and ${dimensions ?? "all"} dimensions`;
}

/** One call of `enqueue`. */
class Producer {
  readonly #open: OpenQueue;
  readonly #options: EnqueueOptions;
  readonly #waitingMax: number;
  #texts = 0;
  #batches = 0;
  #known = 0;

  constructor(open: OpenQueue, options: EnqueueOptions, waitingMax: number) {
    this.#open = open;
    this.#options = options;
    this.#waitingMax = waitingMax;
  }

  get report(): EnqueueReport {
    return this.#report(false);
  }

  async put(group: readonly BatchData[]): Promise<void> {
    if (group.length === 0) return;
    const { ledger, queue } = this.#open;
    const { attempts, signal, onProgress } = this.#options;
    await this.#waitForRoom();
    signal?.throwIfAborted();
    const ids = group.map(batchId);
    const entries = await ledger.enter(
      group.map(({ texts }, i) => ({ id: ids[i]!, texts: texts.length })),
    );
    // One that is entered may be missing in the queue: who entered it may have been killed.
    const open = group.filter((_, i) => entries[i] !== "done");
    if (open.length > 0) await queue.addBulk(open.map((data) => jobOf(data, attempts)));
    this.#texts += group.reduce((sum, { texts }) => sum + texts.length, 0);
    this.#batches += group.length;
    this.#known += entries.filter((entry) => entry !== "new").length;
    onProgress?.(this.#report(false));
  }

  async #waitForRoom(): Promise<void> {
    const { signal, onProgress } = this.#options;
    for (;;) {
      const counts = await this.#open.queue.getJobCounts("waiting", "delayed", "prioritized");
      const waiting = Object.values(counts).reduce((sum, count) => sum + count, 0);
      if (waiting < this.#waitingMax) return;
      onProgress?.(this.#report(true));
      await Bun.sleep(POLL_MS);
      signal?.throwIfAborted();
    }
  }

  #report(isWaiting: boolean): EnqueueReport {
    return { texts: this.#texts, batches: this.#batches, known: this.#known, isWaiting };
  }
}
