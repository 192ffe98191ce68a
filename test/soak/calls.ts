import { makeTexts } from "../../bench/texts.ts";
import {
  type Embedder,
  type EmbedOptions,
  type Encoding,
  GgufEmbedError,
  open,
} from "../../src/index.ts";

/** Kinds of vectors that calls ask for. */
const KINDS: readonly EmbedOptions<Encoding>[] = [
  {},
  { dimensions: 128 },
  { encoding: "int8" },
  { encoding: "binary", dimensions: 64 },
  { normalize: false },
  { task: "query" },
];

const TEXT_COUNT = 300;
const CANCEL_MS_MAX = 20;

/** Texts of 1 to about 300 tokens, most of them short. */
export function soakTexts(): string[] {
  const texts = [2, 6, 10, 20, 40, 100, 200].flatMap((words, i) =>
    makeTexts(Math.ceil(TEXT_COUNT / 7), words, i + 1),
  );
  return ["", ...texts].slice(0, TEXT_COUNT);
}

/** `[kinds][texts]`: digests of the vectors that one thread makes of one text at a time. */
export async function expectedDigests(path: string, texts: readonly string[]): Promise<string[][]> {
  await using model = await open(path, { threads: 1, parallelism: "matmul" });
  return KINDS.map((options) => texts.map((text) => digest(model.embedSync(text, options))));
}

function digest(result: { readonly embedding: ArrayBufferView; readonly scale: number }): string {
  const { buffer, byteOffset, byteLength } = result.embedding;
  return `${Bun.hash(new Uint8Array(buffer, byteOffset, byteLength))} ${result.scale}`;
}

export interface Plan {
  readonly path: string;
  readonly texts: readonly string[];
  readonly expected: readonly (readonly string[])[];
  readonly tasks: number;
  readonly calls: number;
  readonly seed: number;
}

/** How calls ended, and what was wrong. */
export interface Tally {
  calls: number;
  texts: number;
  cancelled: number;
  opened: number;
  refused: number;
  /** Vectors that differ from the expected ones in a bit or more. */
  wrong: number;
  /** Errors that nobody expected. */
  errors: string[];
  slowestCancelMs: number;
}

/** Runs so many calls of all sorts from tasks at the same time, each result held to its bits. */
export async function runCalls(plan: Plan): Promise<Tally> {
  const tally: Tally = {
    calls: 0,
    texts: 0,
    cancelled: 0,
    opened: 0,
    refused: 0,
    wrong: 0,
    errors: [],
    slowestCancelMs: 0,
  };
  const model = await open(plan.path);
  const caller = new Caller(plan, tally);
  const task = async () => {
    while (tally.calls < plan.calls) {
      tally.calls += 1;
      await caller.anything(model).catch((error) => tally.errors.push(String(error)));
    }
  };
  await Promise.all(Array.from({ length: plan.tasks }, task));
  await model.close();
  return tally;
}

class Caller {
  readonly #plan: Plan;
  readonly #tally: Tally;
  #state: number;

  constructor(plan: Plan, tally: Tally) {
    this.#plan = plan;
    this.#tally = tally;
    this.#state = plan.seed;
  }

  anything(model: Embedder): Promise<void> {
    const dice = this.#next(100);
    if (dice < 65) return this.#embed(model);
    if (dice < 80) return this.#cancel(model);
    if (dice < 88) return this.#stream(model);
    if (dice < 92) return this.#sync(model);
    if (dice < 96) return this.#reopen();
    return this.#tooLong(model);
  }

  async #embed(model: Embedder): Promise<void> {
    const { kind, begin, texts } = this.#choose();
    this.#check(kind, begin, await model.embed(texts, KINDS[kind]));
  }

  async #cancel(model: Embedder): Promise<void> {
    const { kind, begin, texts } = this.#choose();
    const controller = new AbortController();
    const reason = new Error("enough");
    let abortedAt = 0;
    const timer = setTimeout(() => {
      abortedAt = performance.now();
      controller.abort(reason);
    }, this.#next(CANCEL_MS_MAX));
    try {
      const options = { ...KINDS[kind], signal: controller.signal };
      this.#check(kind, begin, await model.embed(texts, options));
    } catch (error) {
      if (error !== reason) throw error;
      const tookMs = performance.now() - abortedAt;
      this.#tally.cancelled += 1;
      this.#tally.slowestCancelMs = Math.max(this.#tally.slowestCancelMs, tookMs);
    } finally {
      clearTimeout(timer);
    }
  }

  async #stream(model: Embedder): Promise<void> {
    const { kind, begin, texts } = this.#choose();
    this.#check(kind, begin, await Array.fromAsync(model.stream(texts, KINDS[kind])));
  }

  async #sync(model: Embedder): Promise<void> {
    const { kind, begin, texts } = this.#choose(4);
    this.#check(kind, begin, model.embedSync(texts, KINDS[kind]));
  }

  /** A model of its own, closed after its work or in the middle of it. */
  async #reopen(): Promise<void> {
    const parallelism = (["auto", "texts", "matmul"] as const)[this.#next(3)]!;
    const options = { threads: 1 + this.#next(3), parallelism };
    const model = await open(this.#plan.path, options);
    this.#tally.opened += 1;
    const { kind, begin, texts } = this.#choose();
    const call = model.embed(texts, KINDS[kind]);
    const closing = model.close({ cancel: this.#next(2) === 0 });
    try {
      this.#check(kind, begin, await call);
    } catch (error) {
      if (!(error instanceof GgufEmbedError) || error.code !== "CLOSED") throw error;
    }
    await closing;
  }

  async #tooLong(model: Embedder): Promise<void> {
    const { texts } = this.#choose();
    const long = "word ".repeat(3 * model.config.contextLength);
    try {
      await model.embed([...texts, long]);
      this.#tally.errors.push("a text that is too long was embedded");
    } catch (error) {
      const isRight = error instanceof GgufEmbedError && error.index === texts.length;
      if (!isRight) throw error;
      this.#tally.refused += 1;
    }
  }

  /** Some texts one after another: half of the calls have one, few have many. */
  #choose(most = 64) {
    const count = this.#next(2) === 0 ? 1 : 1 + this.#next(this.#next(4) === 0 ? most : 8);
    const begin = this.#next(this.#plan.texts.length - count);
    const texts = this.#plan.texts.slice(begin, begin + count);
    return { kind: this.#next(KINDS.length), begin, texts };
  }

  #check(kind: number, begin: number, results: readonly Parameters<typeof digest>[0][]): void {
    this.#tally.texts += results.length;
    for (const [i, result] of results.entries()) {
      if (digest(result) !== this.#plan.expected[kind]![begin + i]) this.#tally.wrong += 1;
    }
  }

  #next(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return (this.#state >>> 8) % below;
  }
}
