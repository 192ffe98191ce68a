import { describe, expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Embedder, type EmbedResult, open } from "../../src/index.ts";
import { Scheduler } from "../../src/scheduler/scheduler.ts";
import { bitsOf } from "../engine/run-native.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { failure } from "../failure.ts";

const model = tinyModel();
const TEXTS = Array.from({ length: 300 }, (_, i) => `text ${"word ".repeat((i * 7) % 13)}${i}`);
const bits = (results: readonly EmbedResult[]) => bitsOf(results.map((r) => r.embedding));

/** Ends when what the engine still does for nobody is over. */
async function idle(embedder: Embedder): Promise<void> {
  while (embedder.stats().running.batches > 0) await Bun.sleep(1);
}

describe("calls at the same time", () => {
  test("share batches, and each gets its own vectors in its own order", async () => {
    await using embedder = await open(model.path);
    const alone = bits(TEXTS.map((text) => embedder.embedSync(text)));
    const { done: before } = embedder.stats();
    expect([before.batches, before.texts]).toEqual([TEXTS.length, TEXTS.length]);
    const calls = TEXTS.map((text) => embedder.embed(text));
    expect(bits(await Promise.all(calls))).toEqual(alone);
    const { done, calls: ended } = embedder.stats();
    expect(done.texts - before.texts).toBe(TEXTS.length);
    expect(done.tokens).toBe(2 * before.tokens);
    expect(done.batches - before.batches).toBeLessThan(TEXTS.length / 10);
    expect(ended).toEqual({ succeeded: TEXTS.length, failed: 0, cancelled: 0 });
  });

  test("share them only with calls for vectors of their kind", async () => {
    await using embedder = await open(model.path);
    const texts = TEXTS.slice(0, 40);
    const options = [{}, { dimensions: 16 }, { normalize: false }, { dimensions: 16 }];
    const calls = texts.map((text, i) => embedder.embed(text, options[i % 4]));
    const expected = texts.map((text, i) => embedder.embedSync(text, options[i % 4]));
    expect(bits(await Promise.all(calls))).toEqual(bits(expected));
  });

  test("a short text does not wait for a long call's end", async () => {
    await using embedder = await open(model.path);
    const long = new Array(4000).fill("word ".repeat(20));
    await embedder.embed(long.slice(0, 64)); // so that it knows its pace
    const order: string[] = [];
    const big = embedder.embed(long).then(() => order.push("long"));
    await Bun.sleep(20);
    const small = embedder.embed("short").then(() => order.push("short"));
    await Promise.all([big, small]);
    expect(order).toEqual(["short", "long"]);
  });

  test("texts of one call are rows of one buffer", async () => {
    await using embedder = await open(model.path);
    const results = await embedder.embed(TEXTS.slice(0, 50));
    const [first] = results;
    for (const [i, { embedding }] of results.entries()) {
      expect(embedding.buffer).toBe(first!.embedding.buffer);
      expect(embedding.byteOffset).toBe(i * first!.embedding.byteLength);
    }
  });
});

describe("cancelling", () => {
  test("a thousand calls at random costs the others nothing", async () => {
    await using embedder = await open(model.path);
    const expected = bits(TEXTS.map((text) => embedder.embedSync(text)));
    let state = 7;
    const next = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 8) % below;
    };
    let cancelled = 0;
    const cancelledCall = async () => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const from = next(200);
      const call = embedder.embed(TEXTS.slice(from, from + 1 + next(80)), {
        signal: controller.signal,
      });
      setTimeout(() => controller.abort(reason), next(4));
      const error = await call.then(
        () => undefined,
        (found) => found,
      );
      if (error === undefined) return;
      expect(error).toBe(reason);
      cancelled += 1;
    };
    const keptCall = async () => {
      const from = next(250);
      const results = await embedder.embed(TEXTS.slice(from, from + 20));
      expect(bits(results)).toEqual(expected.slice(from, from + 20));
    };
    for (let round = 0; round < 50; round++) {
      const calls = Array.from({ length: 20 }, cancelledCall);
      await Promise.all([...calls, keptCall(), keptCall()]);
    }
    expect(cancelled).toBeGreaterThan(100);
    await idle(embedder);
    const { queue, running, calls } = embedder.stats();
    expect(queue).toMatchObject({ texts: 0, waiting: { texts: 0, tokens: 0, calls: 0 } });
    expect(running).toEqual({ batches: 0, texts: 0, tokens: 0 });
    expect(calls.cancelled).toBe(cancelled);
    expect(bits(await embedder.embed(TEXTS))).toEqual(expected);
  });

  test("before anything is tokenized, while it waits, and while it runs", async () => {
    await using embedder = await open(model.path);
    const reason = new Error("enough");
    const aborted = AbortSignal.abort(reason);
    expect(await embedder.embed("a", { signal: aborted }).catch((e) => e)).toBe(reason);
    const busy = embedder.embed(new Array(500).fill("word ".repeat(20)));
    const controller = new AbortController();
    const waiting = embedder.embed(TEXTS, { signal: controller.signal });
    controller.abort(reason);
    expect(await waiting.catch((e) => e)).toBe(reason);
    expect((await busy).length).toBe(500);
  });
});

test("a caller who cannot take a vector is told, and the others get theirs", async () => {
  const engine = { embed: async () => Float32Array.of(0, 1, 2) };
  const pace = { threads: 1, budget: 100, capacity: 100, macsPerToken: 1e6 };
  const scheduler = new Scheduler(engine, { ...pace, tokenLevel: false });
  const shape = { dimensions: 1, normalize: false };
  const reason = new RangeError("Out of memory");
  const taken: number[] = [];
  const failures: unknown[] = [];
  const all = Promise.withResolvers<void>();
  const line = scheduler.enter(shape, {
    vector(tag, vector) {
      if (tag === 1) throw reason;
      taken.push(tag);
      expect(vector).toEqual(Float32Array.of(tag));
      if (tag === 2) all.resolve();
    },
    failed: (error, tag) => failures.push([error, tag]),
  });
  const jobs = [0, 1, 2].map((tag) => ({ ids: Int32Array.of(5), tag }));
  scheduler.push(line, jobs);
  await all.promise;
  expect([taken, failures]).toEqual([[0, 2], [[reason, 1]]]);
});

describe("the queue", () => {
  test("refuses what finds it full, and has room again afterwards", async () => {
    await using embedder = await open(model.path, { queueLimit: 100 });
    const first = embedder.embed(TEXTS);
    const error = await failure(() => embedder.embed("one"));
    expect(error.code).toBe("QUEUE_FULL");
    expect(error.message).toContain("300 texts wait already, and the limit is 100");
    expect((await first).length).toBe(300);
    expect((await embedder.embed("one")).embedding.length).toBe(64);
  });

  test("a stream that waits for room can be cancelled", async () => {
    await using embedder = await open(model.path, { queueLimit: 10 });
    const busy = embedder.embed(new Array(3000).fill("word ".repeat(20)));
    const reason = new Error("enough");
    const controller = new AbortController();
    const { signal } = controller;
    let isBusy = true;
    void busy.then(() => {
      isBusy = false;
    });
    const streamed = Array.fromAsync(embedder.stream(TEXTS, { signal })).catch((error) => {
      expect(isBusy).toBe(true);
      return error;
    });
    setTimeout(() => controller.abort(reason), 20);
    expect(await streamed).toBe(reason);
    await busy;
  });

  test("has a stream wait for room", async () => {
    await using embedder = await open(model.path, { queueLimit: 10 });
    const expected = bits(embedder.embedSync(TEXTS));
    const streams = [1, 2, 3].map(async () => {
      const found: EmbedResult[] = [];
      for await (const result of embedder.stream(TEXTS)) found.push(result);
      return bits(found);
    });
    for (const found of await Promise.all(streams)) expect(found).toEqual(expected);
  });

  test("tells what waits and what runs", async () => {
    await using embedder = await open(model.path);
    const call = embedder.embed(new Array(200).fill("word ".repeat(20)));
    await Bun.sleep(0);
    const { queue, running, variant, threads, memory } = embedder.stats();
    expect(queue.texts).toBe(200);
    expect(queue.waiting.texts + running.texts).toBe(200);
    expect(running.batches).toBeGreaterThan(0);
    expect(running.tokens).toBeGreaterThan(running.texts);
    await call;
    expect(embedder.expectedWaitMs).toBe(0);
    const again = embedder.embed(new Array(2000).fill("word ".repeat(20)));
    const much = embedder.expectedWaitMs;
    expect(much).toBeGreaterThan(0);
    const more = embedder.embed(new Array(2000).fill("word ".repeat(20)));
    expect(embedder.expectedWaitMs).toBeGreaterThan(much * 1.5);
    await Promise.all([again, more]);
    const after = embedder.stats();
    expect(after.queue.texts).toBe(0);
    expect(after.done.texts).toBe(4200);
    expect(after.tokensPerSecond).toBeGreaterThan(0);
    expect(variant.length).toBeGreaterThan(2);
    expect(threads).toBe(embedder.threads);
    expect(memory.weightBytes).toBeGreaterThan(1000);
    expect(memory.processBytes).toBeGreaterThan(memory.weightBytes);
  });
});

test("one text's bad weights fail its own call alone, by its position", async () => {
  const path = join(model.folder, "one-bad-row.gguf");
  copyFileSync(model.path, path);
  const tensor = model.file!.tensors.get("token_embd.weight")!;
  await using good = await open(model.path);
  const token = good.tokenize("a")[1]!;
  const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
  bytes.set([0x00, 0x7c], tensor.offset + token * 68); // the scale of its first block: infinite
  writeFileSync(path, bytes);
  await using embedder = await open(path);
  const [before, call, after] = await Promise.allSettled([
    embedder.embed(["one", "two"]),
    embedder.embed(["three", "four", "a", "five"]),
    embedder.embed("six"),
  ]);
  expect(before.status).toBe("fulfilled");
  expect(after.status).toBe("fulfilled");
  const error = await failure(() =>
    call.status === "rejected" ? Promise.reject(call.reason) : undefined,
  );
  expect([error.code, error.index]).toEqual(["NOT_FINITE", 2]);
  expect(error.message).toStartWith("text 2 has no vector: ");
  expect(error.message).toContain("token_embd.weight");
  const streamed = await failure(() => Array.fromAsync(embedder.stream(["six", "a"])));
  expect([streamed.code, streamed.index]).toEqual(["NOT_FINITE", 1]);
});
