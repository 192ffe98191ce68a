import type { CacheStats } from "./pipeline/cache.ts";

/** What an open model does and has done; all counts since it was opened. */
export interface EmbedderStats {
  /** Texts that were taken on and have no result yet, those in `running` included. */
  readonly queue: QueueStats;
  /** What the native threads have now. */
  readonly running: WorkStats;
  /** What they have done. */
  readonly done: WorkStats;
  /** The batches of `done` by their texts: a row for each power of two, and one for the rest. */
  readonly batchSizes: readonly BatchSizeStats[];
  /**
   * Calls by how they ended, without `embedSync`; a stream counts one for each group of texts that
   * it read.
   */
  readonly calls: CallStats;
  /** Of the last batches; undefined before the first that is large enough to tell. */
  readonly tokensPerSecond: number | undefined;
  /** Undefined without `OpenOptions.cacheBytes`. */
  readonly cache: CacheStats | undefined;
  /** What the model takes now. */
  readonly memory: MemoryStats;
  /** The CPU variant of the kernels, one of `NativeInfo.variants`. */
  readonly variant: string;
  /** Worker threads in use. */
  readonly threads: number;
}

/** Texts that have no result yet. */
export interface QueueStats {
  /** All of them. */
  readonly texts: number;
  /** `OpenOptions.queueLimit`. */
  readonly limit: number;
  /** Those that are tokenized and wait for a batch. */
  readonly waiting: WaitingStats;
}

/** Texts that wait for a batch. */
export interface WaitingStats {
  /** How many. */
  readonly texts: number;
  /** In all of them, special tokens included. */
  readonly tokens: number;
  /** That the texts are of. */
  readonly calls: number;
}

/** Work of the native threads. */
export interface WorkStats {
  /** Native calls. */
  readonly batches: number;
  /** In those batches. */
  readonly texts: number;
  /** In those batches, special tokens included. */
  readonly tokens: number;
}

/** Batches of one range of sizes. */
export interface BatchSizeStats {
  /** These have so many texts at most, and more than the row before. `Infinity` in the last row. */
  readonly textsMax: number;
  /** How many there were. */
  readonly batches: number;
}

/** Calls that are over. */
export interface CallStats {
  /** Calls that gave their vectors. */
  readonly succeeded: number;
  /** Calls that rejected with an error of ours. */
  readonly failed: number;
  /** Calls that rejected with their signal's reason, and groups of a stream that was left. */
  readonly cancelled: number;
}

/** Bytes in memory. */
export interface MemoryStats {
  /** Packed weights, shared by all open models of the same file. */
  readonly weightBytes: number;
  /** Buffers of this model's batches. */
  readonly workspaceBytes: number;
  /** Open models that share the weights, this one included. */
  readonly sharers: number;
  /** Resident memory of the whole process. */
  readonly processBytes: number;
}
