import type { Plan } from "../arch/plan.ts";
import { type ErrorCode, GgufEmbedError } from "../errors.ts";
import type { TensorInfo } from "../gguf/types.ts";
import * as abi from "./abi.ts";
import { bytesOf, expectOk, type Library, loadLibrary, newMessage } from "./bindings.ts";
import { Channel } from "./channel.ts";
import { Job, type JobFailure, type JobResult } from "./job.ts";
import { type ProfileListener, profileListener } from "./profile.ts";
import { encodeLoadSpec, type LoadSettings } from "./spec.ts";
import { readField, writeStruct } from "./struct.ts";

/** A ragged batch: the texts' ids one after another. */
export interface NativeBatch {
  readonly ids: Int32Array;
  /** Tokens of each text; they add up to `ids.length`. */
  readonly lengths: Uint32Array;
  readonly dimensions: number;
  readonly normalize: boolean;
  /** A vector for every token rather than for every text. */
  readonly tokenLevel: boolean;
  /**
   * Stop after this operation of the plan; what it wrote is the result. It must write a float token
   * buffer, and `tokenLevel` must be set.
   */
  readonly probe?: number;
}

export interface NativeStats {
  /** CPU variant of the kernels. */
  readonly variant: string;
  /** Threads that a batch may use: those asked for, or as many as the system gave. */
  readonly threads: number;
  /** Loaded models that share these packed weights, this one included. */
  readonly sharers: number;
  readonly weightBytes: number;
  /** In memory, of activation buffers and scratch; they grow with the largest batch so far. */
  readonly workspaceBytes: number;
}

let opening: Promise<Channel> | undefined;

/** The native library, and this JavaScript thread's channel to it. */
export interface Connection {
  readonly library: Library;
  readonly channel: Channel;
}

export async function connect(): Promise<Connection> {
  const library = await loadLibrary();
  opening ??= Channel.open(library).catch((error) => {
    opening = undefined;
    throw error;
  });
  return { library, channel: await opening };
}

/** A model that the native side keeps until it is told otherwise. */
interface Loaded extends Connection {
  readonly handle: number;
  readonly paths: readonly string[];
}

/** Engines that were dropped, and nobody unloaded. */
const dropped = new FinalizationRegistry<Loaded>((loaded) => {
  // Nobody is there to be told.
  submitUnload(loaded).catch(() => {});
});

/** A model in the native engine. The only thing that leaves here is numbers in our own arrays. */
export class NativeEngine {
  readonly #library: Library;
  readonly #channel: Channel;
  readonly #handle: number;
  readonly #paths: readonly string[];
  readonly #parts: readonly TensorInfo[];
  readonly #threads: number;
  readonly #operationCount: number;

  private constructor(
    library: Library,
    channel: Channel,
    handle: number,
    plan: Plan,
    settings: LoadSettings,
  ) {
    this.#library = library;
    this.#channel = channel;
    this.#handle = handle;
    this.#paths = settings.paths;
    this.#parts = partsOf(plan);
    this.#threads = settings.threads;
    this.#operationCount = plan.operations.length;
    dropped.register(this, { library, channel, handle, paths: settings.paths }, this);
  }

  /**
   * Packs a model's weights on the native threads, which are at work when this returns. Rejects
   * with the signal's reason when aborted.
   */
  static async load(
    { library, channel }: Connection,
    plan: Plan,
    settings: LoadSettings,
    signal?: AbortSignal,
  ): Promise<NativeEngine> {
    signal?.throwIfAborted();
    const spec = encodeLoadSpec(plan, settings);
    const ticket = new BigUint64Array(new ArrayBuffer(8));
    expectOk(
      library.symbols.ggufembed_load(channel.id, spec, spec.length, ticket),
      "loading a model",
    );
    const job = new Job(
      library,
      Number(ticket[0]),
      (failure) => failed(failure, settings.paths, partsOf(plan)),
      // A cancelled load may have finished all the same: then its engine goes.
      ({ handle }) => {
        const unloaded = { library, channel, handle, paths: settings.paths };
        if (handle !== 0) submitUnload(unloaded).catch(() => {});
      },
    );
    const { handle } = await job.settle(channel, 0, signal);
    return new NativeEngine(library, channel, handle, plan, settings);
  }

  /** `[texts or tokens][dimensions]`, row-major. */
  async embed(batch: NativeBatch, signal?: AbortSignal): Promise<Float32Array> {
    signal?.throwIfAborted();
    const listener = profileListener();
    const job = this.#submit(batch, listener);
    const result = await job.settle(this.#channel, this.#capacity(batch, listener), signal);
    return this.#vectors(batch, result, listener);
  }

  /** The same, blocking this thread. */
  embedSync(batch: NativeBatch): Float32Array {
    const listener = profileListener();
    const job = this.#submit(batch, listener, true);
    return this.#vectors(batch, job.wait(this.#capacity(batch, listener)), listener);
  }

  stats(): NativeStats {
    const stats = new DataView(new ArrayBuffer(abi.Stats.$size));
    const status = this.#library.symbols.ggufembed_stats(this.#handle, bytesOf(stats));
    expectOk(status, "asking for a model's memory");
    return {
      variant: abi.VARIANTS[readField(stats, abi.Stats, "variant")] ?? "unknown",
      threads: readField(stats, abi.Stats, "threads"),
      sharers: readField(stats, abi.Stats, "sharers"),
      weightBytes: readField(stats, abi.Stats, "weight_bytes"),
      workspaceBytes: readField(stats, abi.Stats, "workspace_bytes"),
    };
  }

  /** Frees the model after the jobs that were submitted before. */
  async unload(): Promise<void> {
    dropped.unregister(this);
    await submitUnload({
      library: this.#library,
      channel: this.#channel,
      handle: this.#handle,
      paths: this.#paths,
    });
  }

  /** Floats that a job may give: the vectors and, for a listener, the profile behind them. */
  #capacity(batch: NativeBatch, listener: ProfileListener | undefined): number {
    const profile = listener === undefined ? 0 : this.#threads * this.#operationCount * 2;
    return outputLength(batch) + profile;
  }

  #vectors(
    batch: NativeBatch,
    { output, runNanoseconds }: JobResult,
    listener: ProfileListener | undefined,
  ): Float32Array {
    if (listener === undefined) return output;
    const length = outputLength(batch);
    listener({ lengths: batch.lengths, runNanoseconds, cells: output.subarray(length) });
    return output.subarray(0, length);
  }

  #submit(batch: NativeBatch, listener: ProfileListener | undefined, awaited = false): Job {
    const spec = new DataView(new ArrayBuffer(abi.EmbedSpec.$size));
    writeStruct(spec, 0, abi.EmbedSpec, {
      size: abi.EmbedSpec.$size,
      text_count: batch.lengths.length,
      token_count: batch.ids.length,
      dimensions: batch.dimensions,
      normalize: Number(batch.normalize),
      token_level: Number(batch.tokenLevel),
      probe: batch.probe ?? abi.NONE,
      profile: Number(listener !== undefined),
      awaited: Number(awaited),
    });
    const ticket = new BigUint64Array(new ArrayBuffer(8));
    const message = newMessage();
    const status = this.#library.symbols.ggufembed_embed(
      this.#channel.id,
      this.#handle,
      bytesOf(spec),
      batch.ids,
      batch.lengths,
      ticket,
      message,
    );
    expectOk(status, "embedding a batch", message);
    return this.#job(ticket);
  }

  #job(ticket: BigUint64Array): Job {
    return new Job(this.#library, Number(ticket[0]), (failure) =>
      failed(failure, this.#paths, this.#parts),
    );
  }
}

async function submitUnload({ library, channel, handle, paths }: Loaded): Promise<void> {
  const ticket = new BigUint64Array(new ArrayBuffer(8));
  const status = library.symbols.ggufembed_unload(channel.id, handle, ticket);
  expectOk(status, "unloading a model");
  const job = new Job(library, Number(ticket[0]), (failure) => failed(failure, paths, []));
  await job.settle(channel, 0);
}

function partsOf(plan: Plan): TensorInfo[] {
  return plan.weights.flatMap((weight) => weight.parts);
}

function outputLength(batch: NativeBatch): number {
  return (batch.tokenLevel ? batch.ids.length : batch.lengths.length) * batch.dimensions;
}

function failed(
  { status, part, message }: JobFailure,
  paths: readonly string[],
  parts: readonly TensorInfo[],
) {
  const tensor = parts[part];
  const where = tensor === undefined ? paths[0] : `${paths[tensor.file]}, tensor ${tensor.name}`;
  const [code, advice] = ERRORS.get(status) ?? ["NATIVE", "please report this"];
  return new GgufEmbedError(code, `${where}: ${message || "the engine failed"}; ${advice}`);
}

const ERRORS: ReadonlyMap<number, readonly [code: ErrorCode, advice: string]> = new Map([
  [abi.Status.invalid_argument, ["NATIVE", "the plan does not fit the engine: please report this"]],
  [abi.Status.stale_handle, ["CLOSED", "open the model again"]],
  [abi.Status.file_not_found, ["FILE_NOT_FOUND", "check that it exists and can be read"]],
  [abi.Status.file_changed, ["BAD_FILE", "it changed while it was open: open it again"]],
  [abi.Status.not_finite, ["NOT_FINITE", "the file is damaged: download or convert it again"]],
  [abi.Status.out_of_memory, ["OUT_OF_RESOURCES", "free memory, or use a smaller model"]],
  [abi.Status.unsupported_cpu, ["NATIVE", "see `ggufembed doctor`"]],
  [abi.Status.system, ["OUT_OF_RESOURCES", "the system refused threads or descriptors"]],
]);
