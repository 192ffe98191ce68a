import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "../../src/index.ts";
import { queueStatus } from "../../src/queue/index.ts";
import { workplace } from "../cli/model.ts";
import { type CliOptions, cli, cliEnvironment, MAIN } from "../cli/run-cli.ts";
import { hasRedis, redisServer, skipped } from "./redis.ts";

const { model, file } = workplace();
const { address, folder } = redisServer();
const env = { GGUFEMBED_REDIS: address };

let number = 0;
const fresh = () => `cli-${number++}`;
const run = (args: readonly string[], options: CliOptions = {}) =>
  cli(args, { ...options, env: { ...env, ...options.env } });

/** A worker in a process of its own, once it is ready. */
async function work(queue: string, ...more: string[]) {
  const results = ["-o", `jsonl:${join(folder, queue)}`];
  const child = Bun.spawn(
    [process.execPath, MAIN, "worker", "-m", model, "--queue", queue, ...results, ...more],
    { env: cliEnvironment(env), stdio: ["ignore", "pipe", "pipe"] },
  );
  const reader = child.stderr.getReader();
  const decoder = new TextDecoder();
  let said = "";
  const read = async () => {
    const { done, value } = await reader.read();
    said += decoder.decode(value);
    return !done;
  };
  while (!said.includes("ggufembed: ready\n")) {
    if (!(await read())) throw new Error(`the worker ended: ${said}`);
  }
  return {
    async stop(signal: NodeJS.Signals) {
      child.kill(signal);
      while (await read());
      return { code: await child.exited, said };
    },
  };
}

describe.skipIf(!hasRedis)(`by the command line${skipped}`, () => {
  test("a file goes in, and its vectors come out in one file", async () => {
    const queue = fresh();
    const input = file("notes.jsonl");
    await Bun.write(
      input,
      [
        { id: "mars", text: "Mars looks rusty", year: 12345678901234567890n },
        { id: 7, text: "A heavy box" },
        { text: "no id of its own", title: "x" },
      ]
        .map((each) =>
          JSON.stringify(each, (_, v) => (typeof v === "bigint" ? JSON.rawJSON(`${v}`) : v)),
        )
        .join("\n"),
    );
    const worker = await work(queue);
    const put = await run(["enqueue", "--queue", queue, "--wait", input]);
    expect([put.code, put.stderr]).toEqual([
      0,
      "ggufembed: 3 texts in 1 batch\nggufembed: 3 texts done\n",
    ]);
    const again = await run(["enqueue", "--queue", queue, input]);
    expect(again.stderr).toBe("ggufembed: 3 texts in 1 batch, 1 of them known\n");
    const { code, said } = await worker.stop("SIGTERM");
    expect([code, said]).toEqual([0, "ggufembed: ready\nggufembed: 3 texts done\n"]);
    const out = file("vectors.jsonl");
    const collected = await run(["queue", "collect", join(folder, queue), "-o", out]);
    expect([collected.code, collected.stderr]).toEqual([0, ""]);
    const lines = readFileSync(out, "utf8").trimEnd().split("\n");
    expect(lines[0]).toContain('"year":12345678901234567890,');
    const rows = lines.map((line) => JSON.parse(line));
    expect(rows.map(({ id }) => id)).toEqual(["mars", "7", "notes.jsonl:3"]);
    expect(rows[2].title).toBe("x");
    await using embedder = await open(model);
    const { embedding } = await embedder.embed("A heavy box");
    expect(rows[1].embedding.map(Math.fround)).toEqual([...embedding]);
  }, 20_000);

  test("lines of text come from standard input too", async () => {
    const queue = fresh();
    const put = await run(["enqueue", "--queue", queue, "--run", "piped"], { stdin: "one\ntwo\n" });
    expect([put.code, put.stderr]).toEqual([0, "ggufembed: 2 texts in 1 batch\n"]);
    const status = await run(["queue", "status", "--queue", queue, "--json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({ texts: 2, waiting: 2, task: null });
    const told = await run(["queue", "status", "--queue", queue]);
    expect(told.stdout).toMatch(/^waiting +2$/m);
    expect(told.stdout).toMatch(/^model +none yet$/m);
    const cleared = await run(["queue", "clear", "--queue", queue]);
    expect([cleared.code, cleared.stderr]).toEqual([0, "ggufembed: the queue is forgotten\n"]);
    expect((await queueStatus({ redis: address, queue })).texts).toBe(0);
  }, 20_000);

  test("what fails is told, listed and tried again", async () => {
    const queue = fresh();
    const input = file("long.txt");
    await Bun.write(input, `short\n${"word ".repeat(300)}\nshorter\n`);
    const worker = await work(queue);
    const put = await run(["enqueue", "--queue", queue, "--wait", input]);
    expect([put.code, put.stderr.split("\n")]).toEqual([
      1,
      [
        "ggufembed: 3 texts in 1 batch",
        "ggufembed: 2 texts done",
        "ggufembed: 1 text failed: see `ggufembed queue failed`",
        "",
      ],
    ]);
    const failed = await run(["queue", "failed", "--queue", queue]);
    const { ids, reason } = JSON.parse(failed.stdout);
    expect([ids, reason]).toEqual([["long.txt:2"], expect.stringContaining("the model takes 128")]);
    const retried = await run(["queue", "retry", "--queue", queue, "--truncate", "end"]);
    expect(retried.stderr).toBe("ggufembed: 1 text back in the queue\n");
    const done = await run(["enqueue", "--queue", queue, "--wait", input]);
    expect([done.code, done.stderr]).toEqual([
      0,
      "ggufembed: 3 texts in 1 batch, 1 of them known\nggufembed: 3 texts done\n",
    ]);
    const { said } = await worker.stop("SIGINT");
    expect(said).toContain('ggufembed: the batch of text "long.txt:2" failed (given up): ');
  }, 20_000);

  test("a worker with another model ends, and says why", async () => {
    const queue = fresh();
    await run(["enqueue", "--queue", queue], { stdin: "one\n" });
    const worker = await work(queue);
    await run(["enqueue", "--queue", queue, "--wait"], { stdin: "one\n" });
    await worker.stop("SIGTERM");
    const args = ["worker", "-m", model, "--queue", queue, "-o", `jsonl:${folder}/elsewhere`];
    const { code, stderr } = await run([...args, "--precision", "high"]);
    expect(code).toBe(1);
    expect(stderr).toStartWith(
      `ggufembed: the queue ${queue} has vectors of tiny gemma-embedding (`,
    );
  }, 20_000);

  test("a worker without a queue's first text leaves when it is told to", async () => {
    const worker = await work(fresh());
    expect(await worker.stop("SIGTERM")).toEqual({
      code: 0,
      said: "ggufembed: ready\nggufembed: 0 texts done\n",
    });
  }, 20_000);
});

test.each([
  [["enqueue", "a", "b"], "enqueue: takes one FILE, found 2"],
  [["worker", "-m", "x", "text"], "worker: takes no arguments; texts come by `enqueue`"],
  [["worker", "-m", "x"], "worker: where do vectors go? give -o jsonl:FOLDER or another place, or"],
  [["queue"], "queue: which action? give one of status, failed, retry, collect, clear"],
  [["queue", "statsu"], "queue: unknown action 'statsu'; give one of"],
  [["queue", "clear", "now"], "queue: clear takes no arguments"],
  [["queue", "collect"], "queue: collect takes one FOLDER"],
])("%p is a wrong use", async (args, message) => {
  const { code, stderr } = await run(args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(`ggufembed: ${message}`)]);
});

test("a Redis that is not there is told, with what to do", async () => {
  const args = ["enqueue", "--redis", "redis://me:secret@127.0.0.1:9"];
  const { code, stderr } = await run(args, { stdin: "one\n" });
  expect(code).toBe(1);
  expect(stderr).toStartWith("ggufembed: cannot use Redis at redis://me:***@127.0.0.1:9: connect ");
  expect(stderr).toEndWith("(Debian: `apt install redis-server`), or correct the address\n");
});

test('an "id" that names nothing is refused with its line', async () => {
  const input = file("bad.jsonl");
  await Bun.write(input, '{"text":"one"}\n{"text":"two","id":null}\n');
  const { code, stderr } = await run(["enqueue", "--queue", "none", input]);
  const where = hasRedis ? `${input}:2: "id" must be a string or a number` : "cannot use Redis";
  expect([code, stderr]).toEqual([1, expect.stringContaining(where)]);
});
