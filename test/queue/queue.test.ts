import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startRedis } from "../../bench/queue/redis.ts";
import { type Embedder, open } from "../../src/index.ts";
import {
  clearQueue,
  enqueue,
  failedTexts,
  type QueueText,
  queueDone,
  queueStatus,
  retryFailed,
  startWorker,
} from "../../src/queue/index.ts";
import { chooseSqlite, findExtension, loadExtension } from "../../src/sqlite/extension.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { failure } from "../failure.ts";
import { readResults } from "./read-results.ts";
import { hasRedis, redisServer, skipped } from "./redis.ts";

const { address: redis, folder } = redisServer();
const { path } = tinyModel();
let model: Embedder;
let other: Embedder;

beforeAll(async () => {
  model = await open(path);
  other = await open(path, { precision: "high" });
});
afterAll(async () => {
  await model.close();
  await other.close();
});

const texts = (count: number): QueueText[] =>
  Array.from({ length: count }, (_, i) => ({ id: `t${i}`, text: `text number ${i}` }));
/** More tokens than the model takes. */
const LONG = "word ".repeat(300);

let number = 0;
/** A queue and a place for results that no other test has. */
function place(name = "jsonl") {
  const queue = `queue-${number++}`;
  return { redis, queue, results: `${name}:${join(folder, queue)}` };
}

async function vectorsOf(results: string) {
  const rows = await readResults(results);
  return new Map(rows.map(({ id, embedding }) => [id, embedding]));
}

describe.skipIf(!hasRedis)(`a queue${skipped}`, () => {
  test("gives the vectors that the library gives, to the last bit", async () => {
    const at = place();
    const input = texts(300);
    const report = await enqueue(input, { ...at, run: "notes", task: "query", dimensions: 32 });
    expect(report).toEqual({ texts: 300, batches: 3, known: 0, isWaiting: false });
    const worker = await startWorker({ ...at, model });
    const status = await queueDone(at);
    await worker.close();
    await worker.ended;
    expect(status).toMatchObject({ texts: 300, done: 300, failed: 0, waiting: 0, task: "query" });
    const expected = await model.embed(
      input.map(({ text }) => text),
      { task: "query", dimensions: 32 },
    );
    expect(status.tokens).toBe(expected.reduce((sum, { tokens }) => sum + tokens, 0));
    expect(worker.report).toEqual({ texts: 300, tokens: status.tokens, batches: 3 });
    const found = await vectorsOf(at.results);
    expect(found).toEqual(new Map(input.map(({ id }, i) => [id, expected[i]!.embedding])));
  });

  test("does nothing twice", async () => {
    const at = place();
    await enqueue(texts(200), { ...at, run: "notes" });
    expect(await enqueue(texts(200), { ...at, run: "notes" })).toMatchObject({ known: 2 });
    expect(await queueStatus(at)).toMatchObject({ texts: 200, waiting: 200 });
    const worker = await startWorker({ ...at, model });
    await queueDone(at);
    expect(await enqueue(texts(200), { ...at, run: "notes" })).toMatchObject({ known: 2 });
    // The same texts of another input are other work.
    await enqueue(texts(10), { ...at, run: "others" });
    expect(await queueDone(at)).toMatchObject({ texts: 210, done: 210 });
    await worker.close();
    expect(worker.report.texts).toBe(210);
  });

  test("fills up what a killed producer entered and did not put in", async () => {
    const at = place();
    await enqueue(texts(128), { ...at, run: "notes" });
    // As if it had ended between the two.
    const client = new Redis(redis);
    const keys = await client.keys(`ggufembed:${at.queue}:*`);
    const kept = ["ledger", "counts", "contract"].map((name) => `ggufembed:${at.queue}:${name}`);
    await client.del(...keys.filter((key) => !kept.includes(key)));
    client.disconnect();
    await enqueue(texts(128), { ...at, run: "notes" });
    const worker = await startWorker({ ...at, model });
    expect(await queueDone(at)).toMatchObject({ texts: 128, done: 128 });
    await worker.close();
  });

  test("sets a text apart that the model refuses, and takes it cut on request", async () => {
    const at = place();
    const input = [
      ...texts(5),
      { id: "long", text: LONG, fields: { page: 7 } },
      ...texts(9).slice(5),
    ];
    await enqueue(input, { ...at, run: "notes" });
    const problems: string[] = [];
    const worker = await startWorker({ ...at, model, onProblem: (text) => problems.push(text) });
    expect(await queueDone(at)).toMatchObject({ texts: 10, done: 9, failed: 1, waiting: 0 });
    const failed = await Array.fromAsync(failedTexts(at));
    expect(failed.map(({ ids }) => ids)).toEqual([["long"]]);
    expect(failed[0]?.reason).toMatch(/^text "long" has \d+ tokens, the model takes 128;/);
    expect(problems).toEqual([
      expect.stringContaining('text "long" failed (given up): text "long"'),
    ]);
    expect(await retryFailed(at)).toBe(1);
    expect(await queueDone(at)).toMatchObject({ done: 9, failed: 1 });
    expect(await retryFailed({ ...at, truncate: "end" })).toBe(1);
    expect(await queueDone(at)).toMatchObject({ texts: 10, done: 10, failed: 0, waiting: 0 });
    await worker.close();
    const rows = await readResults(at.results);
    expect(rows.length).toBe(10);
    const { embedding } = await model.embed(LONG, { truncate: "end" });
    const long = rows.find(({ id }) => id === "long");
    expect([long?.embedding, long?.fields]).toEqual([embedding, { page: 7 }]);
  });

  test("tries again what may go better another time, later each time", async () => {
    const at = place("sqlite");
    await enqueue(texts(3), { ...at, run: "notes", attempts: 2 });
    const problems: string[] = [];
    const worker = await startWorker({ ...at, model, onProblem: (text) => problems.push(text) });
    await queueDone(at);
    // Nobody can write any more.
    const file = at.results.slice("sqlite:".length);
    chooseSqlite();
    using database = new Database(file);
    await loadExtension(database, await findExtension());
    database.run("DROP TABLE embeddings");
    await enqueue(texts(2), { ...at, run: "others", attempts: 2 });
    expect(await queueDone(at)).toMatchObject({ texts: 5, done: 3, failed: 2 });
    const [failed] = await Array.fromAsync(failedTexts(at));
    expect(failed).toMatchObject({ ids: ["t0", "t1"], attempts: 2 });
    expect(problems.map((text) => /\((.+?)\)/.exec(text)?.[1])).toEqual([
      "attempt 1 of 2",
      "given up",
    ]);
    await worker.close();
  }, 15_000);

  test("takes no more than its bound, and goes on when there is room", async () => {
    const at = place();
    const { promise: isFull, resolve } = Promise.withResolvers<void>();
    let read = 0;
    async function* input() {
      for (const text of texts(128 * 64)) {
        read++;
        yield text;
      }
    }
    const enqueuing = enqueue(input(), {
      ...at,
      run: "notes",
      waitingMax: 16,
      onProgress: ({ isWaiting }) => isWaiting && resolve(),
    });
    await isFull;
    expect(read).toBeLessThanOrEqual(128 * 33);
    expect((await queueStatus(at)).waiting).toBe(128 * 16);
    const worker = await startWorker({ ...at, model });
    expect(await enqueuing).toMatchObject({ texts: 128 * 64, batches: 64 });
    expect(await queueDone(at)).toMatchObject({ done: 128 * 64 });
    await worker.close();
  }, 30_000);

  test("stops where its signal says, and keeps what it has", async () => {
    const at = place();
    const stop = new AbortController();
    const reason = new Error("enough");
    const enqueuing = enqueue(texts(128 * 64), {
      ...at,
      run: "notes",
      waitingMax: 16,
      signal: stop.signal,
      onProgress: ({ isWaiting }) => isWaiting && stop.abort(reason),
    });
    expect(await enqueuing.catch((error) => error)).toBe(reason);
    expect((await queueStatus(at)).waiting).toBe(128 * 16);
  });

  test("belongs to the model that was first", async () => {
    const at = place();
    await enqueue(texts(3), { ...at, run: "notes" });
    const worker = await startWorker({ ...at, model });
    await queueDone(at);
    await worker.close();
    const refused = await failure(() => startWorker({ ...at, model: other }));
    expect(refused.code).toBe("WRONG_MODEL");
    expect(refused.message).toContain(
      `the queue ${at.queue} has vectors of tiny gemma-embedding (`,
    );
    const queue = { ...at, queue: `${at.queue}-else` };
    await enqueue(texts(3), { ...queue, run: "notes" });
    const results = await failure(() => startWorker({ ...queue, model: other }));
    expect([results.code, results.message]).toEqual([
      "WRONG_MODEL",
      expect.stringContaining(`${at.results.slice(6)} has vectors of tiny gemma-embedding (`),
    ]);
  });

  test("belongs to the settings that were first", async () => {
    const at = place();
    await enqueue(texts(3), { ...at, run: "notes", task: "query" });
    const error = await failure(() => enqueue(texts(3), { ...at, run: "more", dimensions: 16 }));
    expect([error.code, error.message]).toEqual([
      "WRONG_MODEL",
      expect.stringContaining("has texts for task query and all dimensions, these are for no task"),
    ]);
  });

  test("that is emptied under a worker stops it, once it is another model's", async () => {
    const at = place();
    await enqueue(texts(3), { ...at, run: "notes" });
    const worker = await startWorker({ ...at, model });
    await queueDone(at);
    await clearQueue(at);
    expect(await queueStatus(at)).toMatchObject({ texts: 0, done: 0, model: undefined });
    const elsewhere = { ...at, results: `${at.results}-else` };
    const client = new Redis(redis);
    const fingerprint = await other.fingerprint();
    await client.hset(`ggufembed:${at.queue}:contract`, { fingerprint, model: "the other" });
    client.disconnect();
    await enqueue(texts(3), { ...at, run: "notes" });
    const error = await failure(() => worker.ended);
    expect([error.code, error.message]).toEqual([
      "WRONG_MODEL",
      expect.stringContaining("the other"),
    ]);
    const second = await startWorker({ ...elsewhere, model: other });
    expect(await queueDone(at)).toMatchObject({ texts: 3, done: 3 });
    await second.close();
  }, 20_000);

  test("may get its worker before its first text", async () => {
    const at = place();
    const worker = await startWorker({ ...at, model });
    await enqueue(texts(3), { ...at, run: "notes" });
    expect(await queueDone(at)).toMatchObject({ done: 3 });
    await worker.close();
    expect((await readResults(at.results)).length).toBe(3);
  });

  test("gets back what a worker has that leaves at once", async () => {
    const at = place();
    // Long ones, so that a batch takes a while.
    const input = texts(2048).map(({ id }) => ({ id, text: `${id} ${"word ".repeat(20)}` }));
    await enqueue(input, { ...at, run: "notes" });
    const worker = await startWorker({ ...at, model });
    while ((await queueStatus(at)).active === 0) await Bun.sleep(1);
    await worker.close({ giveBack: true });
    const left = await queueStatus(at);
    expect(left).toMatchObject({ active: 0, delayed: 0, failed: 0, done: worker.report.texts });
    expect(left.waiting).toBeGreaterThan(0);
    // At once, not when a lock has run out, which is later than this test may end.
    const next = await startWorker({ ...at, model });
    expect(await queueDone(at)).toMatchObject({ texts: 2048, done: 2048 });
    await next.close();
    expect((await readResults(at.results)).length).toBe(2048);
  }, 25_000);
});

test("what cannot be a queue is refused", async () => {
  const at = { redis, run: "notes" };
  const messages = [
    await failure(() => enqueue([], { ...at, queue: "a:b" })),
    await failure(() => enqueue([], { redis: "localhost:1", run: "notes" })),
    await failure(() => enqueue([], { ...at, run: "" })),
    await failure(() => enqueue([], { ...at, waitingMax: 0 })),
    await failure(() => enqueue([], { ...at, truncate: "middle" as "end" })),
    await failure(() => startWorker({ model, results: "jsonl:x", lockMs: 1 })),
  ].map(({ code, message }) => `${code} ${message}`);
  expect(messages).toEqual([
    'INVALID_ARGUMENT the queue\'s name is "a:b": no colon, no white space',
    "INVALID_ARGUMENT the address of Redis is localhost:1; it must be redis://HOST:PORT, " +
      "rediss://HOST:PORT or the path of a socket",
    "INVALID_ARGUMENT run is no name of this input",
    "INVALID_ARGUMENT waitingMax is 0; it must be a whole number from 1",
    expect.stringMatching(/^INVALID_ARGUMENT truncate is /),
    "INVALID_ARGUMENT lockMs is 1; it must be a whole number from 1000",
  ]);
});

test.skipIf(!hasRedis)(`a wrong password is told as one${skipped}`, async () => {
  const own = mkdtempSync(join(folder, "password-"));
  await using server = await startRedis(own, "--requirepass", "right");
  const error = await failure(() => queueStatus({ redis: server.address }));
  expect([error.code, error.message]).toEqual([
    "QUEUE_UNREACHABLE",
    expect.stringContaining("NOAUTH"),
  ]);
});
