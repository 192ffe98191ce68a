/**
 * ggufembed itself, through its public interface: texts go in, promises come back, and both count,
 * with the tokenizer, as its time. Answers what `protocol.ts` describes.
 */
import {
  type Embedder,
  type EmbedResult,
  open,
  openTokenizer,
  systemInfo,
  type Tokenizer,
} from "../../../src/index.ts";
import {
  encodeNumbers,
  type LoadRequest,
  type Operation,
  type Operations,
  type Request,
} from "../protocol.ts";

interface Case {
  readonly model: Embedder;
  readonly texts: readonly string[];
  results: EmbedResult[];
}

interface TokensCase {
  readonly tokenizer: Tokenizer;
  readonly texts: readonly string[];
  readonly ids: Int32Array[];
  next: number;
}

/** `auto` learns from its first calls how to share a batch; peers try their settings as well. */
const WARM_SECONDS = 1;
const WARM_CALLS_MAX = 20;

const models = new Map<string, Embedder>();
const cases = new Map<string, Case>();
const tokensCases = new Map<string, TokensCase>();

function named<T>(map: ReadonlyMap<string, T>, key: string): T {
  const found = map.get(key);
  if (found === undefined) throw new Error(`${key} is not ready`);
  return found;
}

const modelKey = ({ model, threads, precision = "default" }: LoadRequest) =>
  `${model} with ${threads} threads and ${precision} precision`;

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

function tokenizeNext(work: TokensCase): number {
  const index = work.next++ % work.texts.length;
  const start = performance.now();
  work.ids[index] = work.tokenizer.encode(work.texts[index]!);
  return (performance.now() - start) / 1000;
}

const vectorsOf = (results: readonly EmbedResult[]) =>
  results.map(({ embedding }) => encodeNumbers(embedding));

const operations: {
  [Op in Operation]: (request: Operations[Op][0]) => Promise<Operations[Op][1]>;
} = {
  async load(request) {
    const { model, threads, precision } = request;
    const key = modelKey(request);
    if (!models.has(key)) models.set(key, await open(model, { threads, precision }));
    return {};
  },

  async prepare(request) {
    const { case: id, texts } = request;
    const work: Case = { model: named(models, modelKey(request)), texts, results: [] };
    cases.set(id, work);
    let seconds = 0;
    for (let i = 0; i < WARM_CALLS_MAX && seconds < WARM_SECONDS; i++) {
      seconds += await runOnce(work);
    }
    return { settings: "as it chooses" };
  },

  async run({ case: id, times }) {
    const work = named(cases, id);
    const seconds: number[] = [];
    for (let i = 0; i < times; i++) seconds.push(await runOnce(work));
    return { seconds };
  },

  async vectors({ case: id }) {
    return { vectors: vectorsOf(named(cases, id).results) };
  },

  async prepare_tokens({ case: id, model, texts }) {
    const tokenizer = await openTokenizer(model);
    tokensCases.set(id, { tokenizer, texts, ids: [], next: 0 });
    return { settings: "as it is" };
  },

  async run_tokens({ case: id, times }) {
    const work = named(tokensCases, id);
    return { seconds: Array.from({ length: times }, () => tokenizeNext(work)) };
  },

  async tokens({ case: id }) {
    return { ids: named(tokensCases, id).ids.map(encodeNumbers) };
  },

  async release({ case: id }) {
    cases.delete(id);
    tokensCases.delete(id);
    return {};
  },

  async first({ model, threads, text }) {
    let result: EmbedResult | undefined;
    const seconds = await timed(async () => {
      const embedder = await open(model, { threads });
      result = await embedder.embed(text);
    });
    return { seconds, vector: encodeNumbers(result!.embedding) };
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
  // Tests let it play a peer.
  name: process.env.PEER_NAME ?? "ggufembed",
  build: process.env.PEER_BUILD ?? `${version} on Bun ${bun}`,
  system: `variant ${native?.variant}`,
  arithmetic: "int8",
  loadings: ["as it chooses"],
});
for await (const line of console) {
  // What Bun gives at the end of the input.
  if (line === "") break;
  const { op, ...request } = JSON.parse(line) as Request;
  say(await answer(op, request as Operations[typeof op][0]));
}
process.exit(0);
