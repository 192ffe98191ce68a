import { join } from "node:path";
import { ROOT } from "../../scripts/paths.ts";
import { open } from "../../src/index.ts";
import { enqueue } from "../../src/queue/index.ts";
import { openQueue } from "../../src/queue/open.ts";

/** Each look costs the workers a little of their cores. */
const POLL_MS = 20;

/** Something that embeds texts. */
export interface Contestant extends AsyncDisposable {
  /** Resolves when all of them are done; `run` names them. */
  run(texts: readonly string[], run: string): Promise<void>;
}

export interface QueueScene {
  /** Path of the GGUF file. */
  readonly model: string;
  /** Address of Redis. */
  readonly redis: string;
  readonly folder: string;
  /** Kind of results. */
  readonly results: string;
}

/** The library alone, whose vectors go nowhere. */
export async function library({ model }: QueueScene, threads: number): Promise<Contestant> {
  const embedder = await open(model, { threads });
  return {
    async run(texts) {
      let done = 0;
      for await (const _ of embedder.stream(texts)) done++;
      if (done !== texts.length) throw new Error("some texts have no vector");
    },
    [Symbol.asyncDispose]: () => embedder.close(),
  };
}

/** Workers as the command line starts them, on a queue of their own; from the first text put in. */
export async function workers(
  { model, redis, folder, results }: QueueScene,
  queue: string,
  count: number,
  threads: number,
): Promise<Contestant> {
  const place = { redis, queue };
  const args = ["--redis", redis, "--queue", queue, "-m", model, "--threads", String(threads)];
  const output = ["-o", `${results}:${join(folder, `${queue}-results`)}`];
  const main = join(ROOT, "src/cli/main.ts");
  const children = Array.from({ length: count }, () =>
    Bun.spawn([process.execPath, main, "worker", ...args, ...output], {
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  await Promise.all(children.map(({ stderr }) => untilReady(stderr)));
  const open = await openQueue(place);
  return {
    async run(texts, run) {
      const { done: before } = await open.ledger.counts();
      await enqueue(
        texts.map((text, i) => ({ text, id: `${run}:${i}` })),
        { ...place, run },
      );
      while ((await open.ledger.counts()).done < before + texts.length) await Bun.sleep(POLL_MS);
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGTERM");
      await Promise.all(children.map((child) => child.exited));
      await open[Symbol.asyncDispose]();
    },
  };
}

/** It says so in its first line; what comes later fits its pipe. */
async function untilReady(stderr: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stderr.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  const said = new TextDecoder().decode(value);
  if (!said.includes("ready")) throw new Error(`the worker did not start: ${said}`);
}
