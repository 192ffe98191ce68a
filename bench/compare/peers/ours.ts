/**
 * ggufembed itself, through its public interface: texts go in, promises come back, and both count,
 * with the tokenizer, as its time. Answers what `protocol.ts` describes.
 */
import { type Embedder, type EmbedResult, open, systemInfo } from "../../../src/index.ts";
import { Control } from "../control.ts";
import { encodeVector, type Operation, type Operations, type Request } from "../protocol.ts";

interface Case {
  readonly model: Embedder;
  readonly texts: readonly string[];
  results: EmbedResult[];
  control: Control | undefined;
}

const CALIBRATION_RUNS = 15;

const models = new Map<string, Embedder>();
const cases = new Map<string, Case>();

function named<T>(map: ReadonlyMap<string, T>, key: string): T {
  const found = map.get(key);
  if (found === undefined) throw new Error(`${key} is not ready`);
  return found;
}

const modelKey = (model: string, threads: number) => `${model} with ${threads} threads`;

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const runOnce = (work: Case) =>
  timed(async () => {
    // One text goes in as one: that is how one text is embedded.
    if (work.texts.length === 1) work.results = [await work.model.embed(work.texts[0]!)];
    else work.results = await work.model.embed(work.texts);
  });

const vectorsOf = (results: readonly EmbedResult[]) =>
  results.map(({ embedding }) => encodeVector(embedding));

const operations: {
  [Op in Operation]: (request: Operations[Op][0]) => Promise<Operations[Op][1]>;
} = {
  async load({ model, threads }) {
    const key = modelKey(model, threads);
    if (!models.has(key)) models.set(key, await open(model, { threads }));
    return {};
  },

  async prepare({ case: id, model, threads, texts, control }) {
    const work: Case = {
      model: named(models, modelKey(model, threads)),
      texts,
      results: [],
      control: undefined,
    };
    cases.set(id, work);
    if (control) {
      const seconds: number[] = [];
      for (let i = 0; i < CALIBRATION_RUNS; i++) seconds.push(await runOnce(work));
      work.control = Control.calibrate(threads, Math.min(...seconds));
    }
    return { settings: "as it chooses" };
  },

  async run({ case: id, times }) {
    const work = named(cases, id);
    const seconds: number[] = [];
    const control: number[] = [];
    for (let i = 0; i < times; i++) {
      seconds.push(await runOnce(work));
      if (work.control) control.push(work.control.run());
    }
    return work.control ? { seconds, control } : { seconds };
  },

  async vectors({ case: id }) {
    return { vectors: vectorsOf(named(cases, id).results) };
  },

  async release({ case: id }) {
    named(cases, id).control?.close();
    cases.delete(id);
    return {};
  },

  async first({ model, threads, text }) {
    let result: EmbedResult | undefined;
    const seconds = await timed(async () => {
      const embedder = await open(model, { threads });
      result = await embedder.embed(text);
    });
    return { seconds, vector: encodeVector(result!.embedding) };
  },

  async once({ model, threads, texts }) {
    const embedder = await open(model, { threads });
    return { vectors: vectorsOf(await embedder.embed(texts)) };
  },
};

async function answer<Op extends Operation>(op: Op, request: Operations[Op][0]): Promise<object> {
  try {
    return await operations[op](request);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

const { version, bun, native } = await systemInfo();
say({
  name: "ggufembed",
  build: `${version} on Bun ${bun}`,
  system: `variant ${native?.variant}`,
  loadings: ["as it chooses"],
});
for await (const line of console) {
  // What Bun gives at the end of the input.
  if (line === "") break;
  const { op, ...request } = JSON.parse(line) as Request;
  say(await answer(op, request as Operations[typeof op][0]));
}
process.exit(0);
