import assert from "node:assert/strict";
import { type ErrorCode, GgufEmbedError } from "../errors.ts";
import type { NativeBatch } from "../native/engine.ts";
import { batchOf, vectorsOf } from "../pipeline/native-batch.ts";
import { BatchSizes } from "./batch-sizes.ts";
import {
  FairQueue,
  type Job,
  Line,
  type QueuedJob,
  type Receiver,
  type Shape,
} from "./fair-queue.ts";
import { Pace, type PaceSettings } from "./pace.ts";

/**
 * Milliseconds before a batch's expected end at which the next one is handed over. Not sooner: what
 * comes meanwhile has its chance. Not later: the threads should not wait for JavaScript.
 */
const LEAD_MS = 8;
/** One that runs, and one behind it. */
const RUNNING_MAX = 2;
/** A batch that failed so would fail again, whichever texts it has. */
const FATAL: ReadonlySet<ErrorCode> = new Set(["CLOSED", "OUT_OF_RESOURCES", "NATIVE"]);

/** What runs a batch: `[texts or tokens][dimensions]` comes back, row-major. */
export interface BatchEngine {
  embed(batch: NativeBatch, signal?: AbortSignal): Promise<Float32Array>;
}

export interface SchedulerSettings extends PaceSettings {
  /** A vector for every token rather than for every text. */
  readonly tokenLevel: boolean;
}

/** What went through the engine since the model was opened. */
export interface Totals {
  batches: number;
  texts: number;
  tokens: number;
}

interface Running {
  readonly jobs: readonly QueuedJob[];
  readonly tokens: number;
  readonly controller: AbortController;
}

/**
 * Makes batches of what many callers want at the same time, fair between them. Texts of different
 * callers share a batch; what is in it never changes a text's vector.
 */
export class Scheduler {
  readonly totals: Totals = { batches: 0, texts: 0, tokens: 0 };
  readonly batchSizes = new BatchSizes();
  readonly #engine: BatchEngine;
  readonly #settings: SchedulerSettings;
  readonly #queue = new FairQueue();
  readonly #pace: Pace;
  readonly #running = new Set<Running>();
  /** When the batch that runs began to run, and for how long it is expected to. */
  #began = 0;
  #expectedMs = 0;
  #isWoken = false;
  #timer: Timer | undefined;

  constructor(engine: BatchEngine, settings: SchedulerSettings) {
    this.#engine = engine;
    this.#settings = settings;
    this.#pace = new Pace(settings);
  }

  /** What waits, not counting what runs. */
  get waiting(): { readonly calls: number; readonly texts: number; readonly tokens: number } {
    const { lines, texts, tokens } = this.#queue;
    return { calls: lines, texts, tokens };
  }

  /** What the engine has. */
  get running(): { readonly batches: number; readonly texts: number; readonly tokens: number } {
    let texts = 0;
    let tokens = 0;
    for (const batch of this.#running) {
      texts += batch.jobs.length;
      tokens += batch.tokens;
    }
    return { batches: this.#running.size, texts, tokens };
  }

  /** Speed of the last batches; undefined before the first that tells. */
  get tokensPerMs(): number | undefined {
    return this.#pace.tokensPerMs;
  }

  /**
   * Milliseconds that so many texts should take, those included that wait and run here. Of the
   * others, which are not tokenized yet, it expects what earlier ones had.
   */
  expectedMs(texts: number): number {
    const speed = this.#pace.tokensPerMs;
    if (speed === undefined) return 0;
    const { waiting, running } = this;
    const others = Math.max(0, texts - waiting.texts - running.texts);
    const mean = this.totals.texts === 0 ? 0 : this.totals.tokens / this.totals.texts;
    return (waiting.tokens + running.tokens + others * mean) / speed;
  }

  enter(shape: Shape, receiver: Receiver): Line {
    return new Line(shape, receiver);
  }

  /** What a caller adds in one turn of the event loop shares a batch with what others add. */
  push(line: Line, jobs: readonly Job[]): void {
    if (line.closed) return;
    this.#queue.push(line, jobs);
    this.#wake();
  }

  /** Nobody wants the caller's vectors any more: what waits is forgotten, what runs cancelled. */
  leave(line: Line): void {
    line.closed = true;
    this.#queue.drop(line);
    for (const { jobs, controller } of this.#running) {
      if (jobs.every((job) => job.line.closed)) controller.abort();
    }
  }

  /** Adds a batch to what was done. */
  count(texts: readonly { readonly ids: Int32Array }[]): void {
    this.totals.batches += 1;
    this.totals.texts += texts.length;
    this.batchSizes.add(texts.length);
    for (const { ids } of texts) this.totals.tokens += ids.length;
  }

  #wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    // Behind the code that is running: it may have more to add.
    queueMicrotask(() => {
      this.#isWoken = false;
      this.#fill();
    });
  }

  #fill(): void {
    clearTimeout(this.#timer);
    while (this.#queue.texts > 0 && this.#running.size < RUNNING_MAX) {
      if (this.#running.size > 0) {
        const restMs = this.#began + this.#expectedMs - performance.now();
        if (restMs > LEAD_MS) {
          this.#timer = setTimeout(() => this.#fill(), restMs - LEAD_MS);
          return;
        }
      }
      const { lines, longest } = this.#queue;
      const budget = this.#pace.budget({ lines, longest });
      // Else this would go on for ever, with empty batches.
      assert(budget >= 1, "a batch has room for a token");
      void this.#run(this.#queue.take(budget));
    }
  }

  async #run(jobs: readonly QueuedJob[]): Promise<void> {
    const batch = batchOf(jobs, jobs[0]!.line.shape, this.#settings.tokenLevel);
    const tokens = batch.ids.length;
    const running: Running = { jobs, tokens, controller: new AbortController() };
    if (this.#running.size === 0) this.#begin(tokens);
    this.#running.add(running);
    let outcome: { output: Float32Array } | { error: unknown };
    try {
      outcome = { output: await this.#engine.embed(batch, running.controller.signal) };
    } catch (error) {
      outcome = { error };
    }
    const ranMs = performance.now() - this.#began;
    this.#running.delete(running);
    const [next] = this.#running;
    if (next !== undefined) this.#begin(next.tokens);
    if ("output" in outcome) {
      this.#pace.observe(tokens, ranMs);
      this.count(jobs);
      // The engine first: the threads wait for nothing else.
      this.#fill();
      this.#deliver(jobs, outcome.output);
    } else {
      this.#fail(jobs, outcome.error);
      this.#fill();
    }
  }

  #begin(tokens: number): void {
    this.#began = performance.now();
    this.#expectedMs = this.#pace.expectedMs(tokens);
  }

  #deliver(jobs: readonly QueuedJob[], output: Float32Array): void {
    const { shape } = jobs[0]!.line;
    const vectors = vectorsOf(output, jobs, shape, this.#settings.tokenLevel);
    for (const [i, vector] of vectors.entries()) {
      const { line, tag } = jobs[i]!;
      if (line.closed) continue;
      try {
        line.receiver.vector(tag, vector);
      } catch (error) {
        // For want of memory, say; the others of the batch have theirs all the same.
        line.receiver.failed(error, tag);
      }
    }
  }

  /** Halves a batch until the text at fault is alone: the others' callers lose nothing by it. */
  #fail(jobs: readonly QueuedJob[], error: unknown): void {
    const wanted = jobs.filter(({ line }) => !line.closed);
    const isFatal = !(error instanceof GgufEmbedError) || FATAL.has(error.code);
    if (isFatal) {
      for (const { line } of wanted) line.receiver.failed(error);
      return;
    }
    if (wanted.length <= 1) {
      for (const { line, tag } of wanted) line.receiver.failed(error, tag);
      return;
    }
    const half = wanted.length >> 1;
    void this.#run(wanted.slice(0, half));
    void this.#run(wanted.slice(half));
  }
}
