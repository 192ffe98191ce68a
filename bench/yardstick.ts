/**
 * What this machine can do at most, measured by a process of its own (zig/yardstick.zig) that can
 * be asked between any two measurements of ours: on a shared machine a peak from another minute
 * says nothing.
 */
import { join } from "node:path";
import { ensureBuilt, YARDSTICK } from "../scripts/build.ts";
import { ROOT } from "../scripts/paths.ts";

export interface Computed {
  readonly seconds: number;
  /** Multiply-adds a second of all threads together, in units of 10^9. */
  readonly gmacs: number;
}

export interface Streamed {
  readonly seconds: number;
  /** Bytes a second of all threads together, in units of 10^9. */
  readonly gigabytes: number;
}

export interface Duration {
  readonly threads: number;
  readonly milliseconds: number;
}

/** A running yardstick. Its threads sleep while nobody asks. */
export class Yardstick implements AsyncDisposable {
  readonly #child: ReturnType<typeof spawn>;
  readonly #lines: AsyncGenerator<string>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor() {
    this.#child = spawn();
    this.#lines = readLines(this.#child.stdout);
  }

  /** Builds the process if a source of it changed, and starts it. Throws `NATIVE`. */
  static async start(): Promise<Yardstick> {
    await ensureBuilt(undefined, YARDSTICK);
    return new Yardstick();
  }

  /** The CPU variants that this machine can run, best first. */
  async variants(): Promise<readonly string[]> {
    const { variants } = await this.#ask("variants");
    return variants as readonly string[];
  }

  /** The rate of a variant's own dot instructions, or of its float multiply-adds. */
  async peak(
    variant: string,
    kind: "int8" | "float",
    { threads, milliseconds }: Duration,
  ): Promise<Computed> {
    return computed(await this.#ask(`peak ${variant} ${kind} ${threads} ${milliseconds}`));
  }

  /**
   * A fixed work that only computes: `units` · 2^20 int8 multiply-adds on each thread, by the best
   * variant, started and awaited as an operation of the engine is.
   */
  async control(threads: number, units: number): Promise<Computed> {
    return computed(await this.#ask(`control ${threads} ${units}`));
  }

  /** Reads a buffer from end to end; choose one that is larger than the last cache. */
  async memory(megabytes: number, { threads, milliseconds }: Duration): Promise<Streamed> {
    const answer = await this.#ask(`memory ${threads} ${megabytes} ${milliseconds}`);
    const seconds = Number(answer.seconds);
    return { seconds, gigabytes: Number(answer.bytes) / seconds / 1e9 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    await this.#child.exited;
  }

  /** One command at a time: those that come meanwhile wait. */
  #ask(command: string): Promise<Answer> {
    const answer = this.#last.then(async () => {
      this.#child.stdin.write(`${command}\n`);
      this.#child.stdin.flush();
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`the yardstick ended at the command ${command}`);
      const parsed = JSON.parse(value) as Answer;
      if (parsed.error === undefined) return parsed;
      throw new Error(`the yardstick refused: ${parsed.error}: ${command}`);
    });
    this.#last = answer.catch(() => {});
    return answer;
  }
}

type Answer = Readonly<Record<string, unknown>>;

function spawn() {
  const path = join(ROOT, "zig-out", YARDSTICK.output);
  return Bun.spawn([path], { stdio: ["pipe", "pipe", "inherit"] });
}

function computed(answer: Answer): Computed {
  const seconds = Number(answer.seconds);
  return { seconds, gmacs: Number(answer.multiply_adds) / seconds / 1e9 };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}
