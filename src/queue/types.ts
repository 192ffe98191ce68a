import type { Embedder, Truncate } from "../index.ts";

/** Where a queue is. */
export interface QueuePlace {
  /**
   * Redis's address: `redis://[user:password@]host:port[/db]`, `rediss://…` with TLS, or the path
   * of a Unix socket. Default `redis://127.0.0.1:6379`.
   */
  readonly redis?: string | undefined;
  /** The queue's name, without `:`. Default `"default"`. */
  readonly queue?: string | undefined;
}

/** A text to embed, and what its vector is filed under. */
export interface QueueText {
  /** What is embedded. */
  readonly text: string;
  /** Names the text in the results: a later text of the same id takes its place. */
  readonly id: string;
  /** Passed through to the results, as JSON. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** What all vectors of a queue have in common: fixed by the first texts that go in. */
export interface QueueSettings {
  /** As in `EmbedOptions.task`; null for texts verbatim. */
  readonly task: string | null;
  /** As in `EmbedOptions.dimensions`; null for all. */
  readonly dimensions: number | null;
}

/** How texts are put into a queue. */
export interface EnqueueOptions extends QueuePlace, Partial<QueueSettings> {
  /**
   * Names this input: the same texts under the same name are the same work, and are not done again.
   */
  readonly run: string;
  /** What to do with a text longer than the context. Default `"error"`: see `failedTexts`. */
  readonly truncate?: Truncate | undefined;
  /** Batches that may wait in Redis; beyond them it waits for workers. Default 512. */
  readonly waitingMax?: number | undefined;
  /** How often a batch is tried before it counts as failed. Default 8, over some four minutes. */
  readonly attempts?: number | undefined;
  /** Stops between two batches; what is in the queue stays there. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each group of batches, and while it waits for workers. */
  readonly onProgress?: ((report: EnqueueReport) => void) | undefined;
}

/** What went into a queue. */
export interface EnqueueReport {
  /** Texts that were read. */
  readonly texts: number;
  /** Batches that they make. */
  readonly batches: number;
  /** Batches of those that were known already: waiting, done or failed. */
  readonly known: number;
  /** Whether it is waiting for workers, because enough is in Redis. */
  readonly isWaiting: boolean;
}

/** How far a queue is. Texts that are worked on count as waiting. */
export interface QueueStatus extends QueueSettings {
  /** Texts that ever went in. */
  readonly texts: number;
  /** Texts whose vectors are in the results. */
  readonly done: number;
  /** Texts that were given up: see `failedTexts`. */
  readonly failed: number;
  /** Texts that are neither. */
  readonly waiting: number;
  /** Tokens of those that are done. */
  readonly tokens: number;
  /** Batches that are worked on now. */
  readonly active: number;
  /** Batches that failed and will be tried again in a while. */
  readonly delayed: number;
  /** Name of the model; undefined before a worker came. */
  readonly model: string | undefined;
  /** What `Embedder.fingerprint` says of the vectors; undefined before a worker came. */
  readonly fingerprint: string | undefined;
}

/** How to wait for a queue. */
export interface QueueDoneOptions extends QueuePlace {
  /** Ends the waiting, not the work. */
  readonly signal?: AbortSignal | undefined;
  /** Told four times a second. */
  readonly onProgress?: ((status: QueueStatus) => void) | undefined;
}

/** A batch that was given up. */
export interface FailedBatch {
  /** Of its texts. */
  readonly ids: readonly string[];
  /** The last error. */
  readonly reason: string;
  /** How often it was tried since it was put in, or put back. */
  readonly attempts: number;
}

/** How a queue's failed texts are tried once more. */
export interface RetryOptions extends QueuePlace {
  /** Another way with texts that are too long. Default: as they were put in. */
  readonly truncate?: Truncate | undefined;
}

/** What a worker of a queue needs. */
export interface QueueWorkerOptions extends QueuePlace {
  /** Stays its owner's: the worker never closes it. */
  readonly model: Embedder;
  /**
   * Where vectors go: `jsonl:FOLDER`, `parquet:FOLDER`, `sqlite:FILE`, or `postgres://…`, with
   * `?table=NAME` for another table than `embeddings`.
   */
  readonly results: string;
  /** Batches at once: the next is there when one is done. Default 3. */
  readonly batches?: number | undefined;
  /**
   * Milliseconds after which the batches of a worker that was killed go to others. Default 30,000.
   */
  readonly lockMs?: number | undefined;
  /** Told after each batch. */
  readonly onProgress?: ((report: WorkerReport) => void) | undefined;
  /** Told what went wrong and will be tried again, or was given up. */
  readonly onProblem?: ((message: string) => void) | undefined;
}

/** What a worker has done so far. */
export interface WorkerReport {
  /** Texts whose vectors it wrote. */
  readonly texts: number;
  /** Tokens of those. */
  readonly tokens: number;
  /** Batches that it finished. */
  readonly batches: number;
}

/** A worker that runs. */
export interface QueueWorker {
  /**
   * Resolves when the worker was closed. Rejects with `WRONG_MODEL` when the queue was emptied
   * under it and belongs to another model now.
   */
  readonly ended: Promise<void>;
  /** What it has done so far. */
  readonly report: WorkerReport;
  /**
   * Finishes the batches that it has, takes no more, and leaves. Once more with `giveBack` where
   * that takes too long.
   */
  close(options?: WorkerCloseOptions): Promise<void>;
}

/** How a worker leaves. */
export interface WorkerCloseOptions {
  /** Puts the batches that it has back into the queue, instead of finishing them. */
  readonly giveBack?: boolean | undefined;
}
