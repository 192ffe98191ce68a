import type { Job, Worker } from "bullmq";
import { GgufEmbedError, invalidArgument } from "../errors.ts";
import { type BatchData, batchId, partOf } from "./batch.ts";
import { checkCount } from "./check-count.ts";
import { embedBatch } from "./embed-batch.ts";
import { Feed } from "./feed.ts";
import { type Bullmq, jobOf, loadBullmq, type OpenQueue, openQueue, PREFIX } from "./open.ts";
import { openResults } from "./results/open.ts";
import type { ResultStore } from "./results/types.ts";
import type { QueueWorker, QueueWorkerOptions, WorkerCloseOptions, WorkerReport } from "./types.ts";

/** While the model has two, so that it need not wait for texts, one is written or fetched. */
const BATCHES_DEFAULT = 3;
const LOCK_MS_DEFAULT = 30_000;
const LOCK_MS_MIN = 1000;
/**
 * How often a batch may be left behind by workers that were killed. More is the batch's own doing:
 * something in it ends the process.
 */
const KILLED_MAX = 20;
const POLL_MS = 250;

/**
 * Takes batches from a queue until it is closed: embeds, writes the results, and only then says
 * that a batch is done. A worker that is killed loses nothing: its batches go to others, and
 * results are filed under their ids, so none is there twice. Waits for the first texts of a queue.
 *
 * Rejects with `WRONG_MODEL` where the queue or the results have vectors of another model, and with
 * `INVALID_ARGUMENT`, `QUEUE_UNREACHABLE`, `MISSING_PACKAGE`, `RESULTS`.
 *
 * @example
 * ```ts
 * const worker = await startWorker({ model, queue: "notes", results: "jsonl:vectors" });
 * await queueDone({ queue: "notes" });
 * await worker.close();
 * ```
 */
export async function startWorker(options: QueueWorkerOptions): Promise<QueueWorker> {
  const { batches = BATCHES_DEFAULT, lockMs = LOCK_MS_DEFAULT, model } = options;
  checkCount("batches", batches);
  if (!Number.isSafeInteger(lockMs) || lockMs < LOCK_MS_MIN) {
    throw invalidArgument(`lockMs is ${lockMs}; it must be a whole number from ${LOCK_MS_MIN}`);
  }
  if (model.config.pooling === "none") {
    throw invalidArgument("the model has pooling none: a queue's results are a vector a text");
  }
  const bull = await loadBullmq();
  const open = await openQueue(options);
  const worker = new BatchWorker(bull, open, options);
  try {
    await worker.prepare();
  } catch (error) {
    await open[Symbol.asyncDispose]();
    throw error;
  }
  worker.start(batches, lockMs);
  return worker;
}

/** What is known once the queue has its first texts. */
interface Prepared {
  readonly feed: Feed;
  readonly fingerprint: string;
  readonly results: ResultStore;
}

class BatchWorker implements QueueWorker {
  readonly #bull: Bullmq;
  readonly #open: OpenQueue;
  readonly #options: QueueWorkerOptions;
  readonly #ended = Promise.withResolvers<void>();
  readonly ended = this.#ended.promise;
  #prepared: Prepared | undefined;
  #worker: Worker<BatchData> | undefined;
  #closing: Promise<void> | undefined;
  #report: WorkerReport = { texts: 0, tokens: 0, batches: 0 };

  constructor(bull: Bullmq, open: OpenQueue, options: QueueWorkerOptions) {
    this.#bull = bull;
    this.#open = open;
    this.#options = options;
    // Who does not wait for it closes the worker, which then resolves.
    this.ended.catch(() => {});
  }

  get report(): WorkerReport {
    return this.#report;
  }

  /** Checks the model against the queue and the results, if there is a queue yet. */
  async prepare(): Promise<void> {
    const { ledger } = this.#open;
    const { model, results } = this.#options;
    const settings = await ledger.settings();
    if (settings === undefined) return;
    const { task, dimensions } = settings;
    const kind = { task: task ?? undefined, dimensions: dimensions ?? undefined };
    const fingerprint = await model.fingerprint(kind);
    const kept = await ledger.keepModel(fingerprint, model.config.name);
    if (kept.fingerprint !== fingerprint) throw this.#wrongModel(kept);
    const store = await openResults(results, {
      fingerprint,
      model: model.config.name,
      dimensions: dimensions ?? model.config.embeddingSize,
    });
    this.#prepared = { feed: new Feed(model, kind), fingerprint, results: store };
  }

  start(batches: number, lockMs: number): void {
    void this.#run(batches, lockMs).catch(async (error) => {
      await this.#stop(error);
    });
  }

  async #run(batches: number, lockMs: number): Promise<void> {
    while (this.#prepared === undefined) {
      if (this.#closing !== undefined) return;
      await Bun.sleep(POLL_MS);
      await this.prepare();
    }
    if (this.#closing !== undefined) return;
    const { Worker } = this.#bull;
    const worker = new Worker<BatchData>(
      this.#open.name,
      (job, token, signal) => this.#work(job, token, signal),
      {
        connection: this.#open.connection,
        prefix: PREFIX,
        concurrency: batches,
        lockDuration: lockMs,
        stalledInterval: lockMs / 2,
        maxStalledCount: KILLED_MAX,
      },
    );
    this.#worker = worker;
    this.#listen(worker);
  }

  #listen(worker: Worker<BatchData>): void {
    const tell = (message: string) => this.#options.onProblem?.(message);
    worker.on("failed", (job, error) => {
      if (job === undefined) return;
      const { attemptsMade, opts, data } = job;
      const isOver = job.finishedOn !== undefined;
      const fate = isOver ? "given up" : `attempt ${attemptsMade} of ${opts.attempts}`;
      tell(`the batch of text ${JSON.stringify(data.ids[0])} failed (${fate}): ${error.message}`);
    });
    worker.on("stalled", (id) => tell(`batch ${id} was left by another worker: it is done again`));
    worker.on("error", (error) => tell(`Redis: ${error.message}`));
  }

  async #work(job: Job<BatchData>, token = "", signal?: AbortSignal): Promise<void> {
    const { data, id = "" } = job;
    const { ledger } = this.#open;
    const { feed, fingerprint, results } = this.#prepared!;
    const state = await ledger.begin(id, fingerprint);
    if (state === "done") return;
    if (state === "other") return await this.#refuse(job, token);
    try {
      const { rows, refused } = await embedBatch(feed, data, signal);
      if (rows.length > 0) await results.write({ run: data.run, position: data.position, rows });
      const [first] = refused;
      if (first !== undefined) {
        // A batch of one has nothing to be kept apart from.
        if (data.texts.length === 1) throw new this.#bull.UnrecoverableError(first.reason);
        await this.#setAside(refused.map(({ index }) => partOf(data, index)));
      }
      const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
      if (await ledger.settle(id, rows.length, tokens)) this.#count(rows.length, tokens);
    } catch (error) {
      if (!signal?.aborted) throw error;
      await job.moveToWait(token);
      throw new this.#bull.WaitingError();
    }
  }

  #count(texts: number, tokens: number): void {
    const report = this.#report;
    this.#report = {
      texts: report.texts + texts,
      tokens: report.tokens + tokens,
      batches: report.batches + 1,
    };
    this.#options.onProgress?.(this.#report);
  }

  /** Texts that the model refuses become batches of their own, which fail alone. */
  async #setAside(parts: readonly BatchData[]): Promise<void> {
    const { ledger, queue } = this.#open;
    for (const part of parts) {
      const { name, opts } = jobOf(part);
      if (await ledger.enterPart(batchId(part))) await queue.add(name, part, opts);
    }
  }

  /** The queue was emptied meanwhile, and another model has it. */
  async #refuse(job: Job<BatchData>, token: string): Promise<never> {
    const { fingerprint = "", name = "" } = await this.#open.ledger.model();
    await job.moveToWait(token);
    void this.#stop(this.#wrongModel({ fingerprint, name }));
    throw new this.#bull.WaitingError();
  }

  #wrongModel(kept: { readonly fingerprint: string; readonly name: string }): GgufEmbedError {
    const { model } = this.#options;
    return new GgufEmbedError(
      "WRONG_MODEL",
      `the queue ${this.#open.name} has vectors of ${kept.name} (${kept.fingerprint}), this ` +
        `worker has ${model.config.name}, another file or other options: start it with ` +
        "that model, or put the texts into another queue",
    );
  }

  close(options: WorkerCloseOptions = {}): Promise<void> {
    if (options.giveBack) this.#worker?.cancelAllJobs("the worker leaves");
    return this.#stop(undefined);
  }

  #stop(error: unknown): Promise<void> {
    this.#closing ??= (async () => {
      try {
        await this.#worker?.close();
        await this.#prepared?.results.close();
        await this.#open[Symbol.asyncDispose]();
      } finally {
        if (error === undefined) this.#ended.resolve();
        else this.#ended.reject(error);
      }
    })();
    return this.#closing;
  }
}
