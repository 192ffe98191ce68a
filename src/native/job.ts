import * as abi from "./abi.ts";
import { bytesOf, expectOk, type Library, messageText, newMessage } from "./bindings.ts";
import type { Channel } from "./channel.ts";
import { readField } from "./struct.ts";

/** Why a job did not do what it should. */
export interface JobFailure {
  readonly status: number;
  /** Which of the job's tensors is at fault; `NONE` where none is. */
  readonly part: number;
  /** The native side's words, which may be none. */
  readonly message: string;
}

/** What a job gives. */
export interface JobResult {
  readonly output: Float32Array;
  readonly handle: number;
  /** Time that the job ran, without waiting for its turn. */
  readonly runNanoseconds: number;
}

/** One submitted job, until its result is taken. */
export class Job {
  readonly #library: Library;
  readonly #ticket: number;
  readonly #failed: (failure: JobFailure) => Error;
  readonly #abandoned: (result: JobResult) => void;

  /**
   * @param failed the error for a failure; a cancelled job is not one
   * @param abandoned takes the result of a job that was aborted, and finished all the same
   */
  constructor(
    library: Library,
    ticket: number,
    failed: (failure: JobFailure) => Error,
    abandoned: (result: JobResult) => void = () => {},
  ) {
    this.#library = library;
    this.#ticket = ticket;
    this.#failed = failed;
    this.#abandoned = abandoned;
  }

  /**
   * An aborted job rejects at once; what is left of it is taken when the native side has let go.
   */
  async settle(channel: Channel, length: number, signal?: AbortSignal): Promise<JobResult> {
    const finished = channel.finished(this.#ticket);
    if (signal === undefined) {
      await finished;
      return this.#take(length);
    }
    const aborted = Promise.withResolvers<"aborted">();
    const onAbort = () => aborted.resolve("aborted");
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const outcome = await Promise.race([finished, aborted.promise]);
      if (outcome !== "aborted") return this.#take(length);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    this.#library.symbols.ggufembed_cancel(this.#ticket);
    finished.then(() => this.#discard(length));
    throw signal.reason;
  }

  wait(length: number): JobResult {
    expectOk(this.#library.symbols.ggufembed_wait(this.#ticket), "waiting for a job");
    return this.#take(length);
  }

  #discard(length: number): void {
    try {
      this.#abandoned(this.#take(length));
    } catch {
      // It was cancelled: whatever it has to say comes too late.
    }
  }

  #take(length: number): JobResult {
    // A buffer of its own, outside the collector's heap: the address holds during the call.
    const output = new Float32Array(new ArrayBuffer(Math.max(length, 1) * 4), 0, length);
    const result = new DataView(new ArrayBuffer(abi.Result.$size));
    const message = newMessage();
    expectOk(
      this.#library.symbols.ggufembed_take(
        this.#ticket,
        bytesOf(result),
        new Uint8Array(output.buffer),
        length,
        message,
      ),
      "taking a result",
    );
    const status = readField(result, abi.Result, "status");
    if (status !== abi.Status.ok) throw this.#error(status, result, messageText(message));
    return {
      // The system may have given fewer threads, and so a shorter profile.
      output: output.subarray(0, readField(result, abi.Result, "float_count")),
      handle: readField(result, abi.Result, "engine"),
      runNanoseconds: readField(result, abi.Result, "run_ns"),
    };
  }

  #error(status: number, result: DataView, message: string): Error {
    if (status === abi.Status.cancelled) return new DOMException("cancelled", "AbortError");
    return this.#failed({ status, part: readField(result, abi.Result, "part"), message });
  }
}
