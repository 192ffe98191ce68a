/** A worker process: spoken to in JSON lines, asleep while another one works. */
import { readdirSync, readFileSync } from "node:fs";
import type { Operation, Operations, Ready } from "./protocol.ts";

export interface WorkerCommand {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const SETTLE_POLL_MS = 20;
/** Counted and not timed: whoever is stopped for a while is not busy meanwhile. */
const SETTLE_POLLS_MAX = 100;
/** A process that used less than this of a poll is asleep. */
const SETTLED_SHARE = 0.02;
/** Where the system does not tell what a process uses: longer than any pool keeps spinning. */
const SETTLE_BLIND_MS = 300;

export class Worker implements AsyncDisposable {
  readonly ready: Ready;
  /** Seconds from the start of the process until it was ready. */
  readonly startSeconds: number;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    child: Bun.Subprocess<"pipe", "pipe", "inherit">,
    lines: AsyncIterator<string>,
    ready: Ready,
    startSeconds: number,
  ) {
    this.#process = child;
    this.#lines = lines;
    this.ready = ready;
    this.startSeconds = startSeconds;
  }

  static async start({ command, env }: WorkerCommand): Promise<Worker> {
    const start = performance.now();
    const child = Bun.spawn([...command], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    const lines = readLines(child.stdout);
    const ready = (await nextAnswer(lines, command.join(" "))) as Ready;
    return new Worker(child, lines, ready, (performance.now() - start) / 1000);
  }

  async ask<Op extends Operation>(op: Op, request: Operations[Op][0]): Promise<Operations[Op][1]> {
    this.#process.stdin.write(`${JSON.stringify({ op, ...request })}\n`);
    this.#process.stdin.flush();
    return (await nextAnswer(this.#lines, `${this.ready.name}, ${op}`)) as Operations[Op][1];
  }

  /** Waits until none of its threads runs any more: some pools spin for a while after work. */
  async settle(): Promise<void> {
    const first = cpuNanoseconds(this.#process.pid);
    if (first === undefined) return Bun.sleep(SETTLE_BLIND_MS);
    let before = first;
    for (let poll = 0; poll < SETTLE_POLLS_MAX; poll++) {
      await Bun.sleep(SETTLE_POLL_MS);
      const now: number = cpuNanoseconds(this.#process.pid) ?? before;
      if (now - before < SETTLED_SHARE * SETTLE_POLL_MS * 1e6) return;
      before = now;
    }
    throw new Error(
      `${this.ready.name} is still busy ${SETTLE_POLLS_MAX * SETTLE_POLL_MS} ms after its answer`,
    );
  }

  /** Peak resident memory of the process in bytes; undefined where the system does not tell. */
  peakBytes(): number | undefined {
    const status = tryRead(`/proc/${this.#process.pid}/status`);
    const kilobytes = status?.match(/^VmHWM:\s+(\d+) kB$/m)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end();
    await this.#process.exited;
  }
}

async function nextAnswer(lines: AsyncIterator<string>, what: string): Promise<unknown> {
  const { done, value } = await lines.next();
  if (done) throw new Error(`${what}: the process ended without an answer`);
  const answer = JSON.parse(value);
  if (answer.error !== undefined) throw new Error(`${what}: ${answer.error}`);
  return answer;
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** Processor time of all threads of a process. */
function cpuNanoseconds(pid: number): number | undefined {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder)
      .map((thread) => Number(tryRead(`${folder}/${thread}/schedstat`)?.split(" ")[0] ?? 0))
      .reduce((sum, each) => sum + each, 0);
  } catch {
    return undefined;
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
