import { expect, test } from "bun:test";
import { streamInGroups } from "../../src/pipeline/stream.ts";

const TEXT = { ids: new Int32Array(10) };

for (const [name, texts] of [
  ["is under way", 4],
  ["was read", 3],
] as const) {
  test(`leaving cancels what ${name}`, async () => {
    const signals: AbortSignal[] = [];
    const isRead = Promise.withResolvers<void>();
    async function* source() {
      for (let i = 0; i < texts; i++) yield i;
      isRead.resolve();
      await new Promise(() => {});
    }
    const results = streamInGroups<number, typeof TEXT, { group: number }>(source(), {
      tokenBudget: 2 * TEXT.ids.length,
      prepare: async () => TEXT,
      async embed(texts, signal) {
        const group = signals.push(signal);
        if (group === 1) return texts.map(() => ({ group }));
        // Asks for what comes behind it, which never does.
        isRead.resolve();
        return await new Promise(() => {});
      },
    });
    expect(await results.next()).toEqual({ done: false, value: { index: 0, group: 1 } });
    await isRead.promise;
    await results.return(undefined);
    await Bun.sleep(20);
    expect(signals.length).toBe(2);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
}

for (const [name, how, told] of [
  ["ends", "ends", 0],
  ["fails", "fails", 0],
  ["is left", "goes on", 1],
] as const) {
  test(`a source that ${name} is told to end ${told} times`, async () => {
    let returned = 0;
    let position = 0;
    const source = {
      [Symbol.asyncIterator]: () => source,
      async next() {
        if (position === 3 && how === "fails") throw new Error("no");
        const isEnd = position === 3 && how === "ends";
        return isEnd ? { done: true, value: undefined } : { done: false, value: position++ };
      },
      async return() {
        returned += 1;
        return { done: true, value: undefined };
      },
    } as AsyncIterableIterator<number>;
    const results = streamInGroups<number, typeof TEXT, object>(source, {
      tokenBudget: 2 * TEXT.ids.length,
      prepare: async () => TEXT,
      embed: async (texts) => texts.map(() => ({})),
    });
    const read = async () => {
      for await (const { index } of results) if (how === "goes on" && index === 2) break;
    };
    const error = await read().catch((reason) => reason);
    expect(error?.message).toBe(how === "fails" ? "no" : undefined);
    expect(returned).toBe(told);
  });
}
