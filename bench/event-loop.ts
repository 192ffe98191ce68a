import { ensureSynth } from "../scripts/synth.ts";
import { type Embedder, open } from "../src/index.ts";
import { type Case, digest, type Setting } from "./harness.ts";
import { gemmaPath, SHORT, textsOf, threadCount } from "./models.ts";

const THREADS = 2;
const LOAD = {
  full: { texts: 64, tokens: 512, idleMs: 2000, calls: 2000 },
  tiny: { texts: 4, tokens: 64, idleMs: 20, calls: 20 },
} as const;
/** A timer is due so often. */
const PERIOD_MS = 1;

/** What embedding costs the rest of a process: how late timers are, and what a promise takes. */
export async function* eventLoop(setting: Setting): AsyncGenerator<Case> {
  const { texts, tokens, idleMs, calls } = LOAD[setting.size];
  {
    await using embedder = await open(await gemmaPath(setting), { threads: THREADS });
    const many = textsOf(embedder, texts, tokens, setting);
    await embedder.embed(many.slice(0, THREADS));
    yield { name: "lateness of a timer: idle", nanoseconds: await lateness(Bun.sleep(idleMs)) };
    const load = `${texts} texts of ${tokens} tokens, ${threadCount(THREADS)}`;
    yield {
      name: `lateness of a timer: ${load}`,
      nanoseconds: await lateness(embedder.embed(many)),
    };
  }
  await using embedder = await open(await ensureSynth("mini"), { threads: 1 });
  yield* pathsOf(embedder, textsOf(embedder, 1, SHORT, setting)[0]!, calls);
}

/**
 * Nanoseconds that each tick was late while `work` went on. One that was held up for long counts as
 * all the ticks that were due meanwhile: otherwise the worst moments would have the fewest samples.
 */
async function lateness(work: Promise<unknown>): Promise<number[]> {
  const samples: number[] = [];
  let due = performance.now() + PERIOD_MS;
  let timer: Timer | undefined;
  const tick = () => {
    for (const now = performance.now(); due <= now; due += PERIOD_MS) {
      samples.push((now - due) * 1e6);
    }
    timer = setTimeout(tick, PERIOD_MS);
  };
  tick();
  await work;
  // What was due before the work was done, and had no turn.
  clearTimeout(timer);
  tick();
  clearTimeout(timer);
  return samples;
}

/** The same short text by both paths, one after the other: what they differ by is the promise. */
async function* pathsOf(embedder: Embedder, text: string, calls: number): AsyncGenerator<Case> {
  const waited: number[] = [];
  const blocking: number[] = [];
  for (let call = 0; call < calls; call++) {
    let start = Bun.nanoseconds();
    await embedder.embed(text);
    waited.push(Bun.nanoseconds() - start);
    start = Bun.nanoseconds();
    embedder.embedSync(text);
    blocking.push(Bun.nanoseconds() - start);
  }
  const { embedding, tokens } = await embedder.embed(text);
  const name = `a tiny model: 1 text, ${tokens} tokens`;
  const result = digest([embedding]);
  yield { name, result, nanoseconds: waited };
  yield { name: `${name}, blocking`, result, nanoseconds: blocking };
}
