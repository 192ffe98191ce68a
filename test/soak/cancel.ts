import { open } from "../../src/index.ts";
import { soakTexts } from "./calls.ts";
import { residentMegabytes, type Size, type Soak } from "./figure.ts";
import { soakModel } from "./model.ts";

const REASON = new Error("enough");

/** Calls that are cancelled at random moments, beside some that are not. */
export async function cancel(size: Size): Promise<Soak> {
  await using model = await open(await soakModel(size));
  const texts = soakTexts().toReversed();
  const wanted = size === "full" ? 1000 : 30;
  let cancelled = 0;
  let slowestMs = 0;
  const cancelOne = async (delayMs: number) => {
    const controller = new AbortController();
    const call = model.embed(texts, { signal: controller.signal });
    call.catch(() => {});
    await Bun.sleep(delayMs);
    const start = performance.now();
    controller.abort(REASON);
    const error = await call.then(
      () => undefined,
      (reason) => reason,
    );
    if (error === undefined) return;
    if (error !== REASON) throw error;
    cancelled += 1;
    slowestMs = Math.max(slowestMs, performance.now() - start);
  };
  const round = (i: number) => Promise.all([cancelOne(i % 23), model.embed(texts.slice(-20))]);
  for (let i = 0; i < 20; i++) await round(i);
  const before = residentMegabytes();
  cancelled = 0;
  for (let i = 0; cancelled < wanted; i++) await round(i);
  const after = residentMegabytes();
  const { queue, running } = model.stats();
  return {
    title: `${wanted.toLocaleString("en-US")} calls cancelled at random moments`,
    figures: [
      { what: "slowest, from abort to rejection", value: slowestMs, unit: "ms", max: 20 },
      { what: "resident memory after 20 of them", value: before, unit: "MB" },
      { what: "after all", value: after, unit: "MB", max: before * 1.05 },
      { what: "texts left behind", value: queue.texts + running.texts, unit: "", max: 0 },
    ],
  };
}
