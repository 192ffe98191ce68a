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
