/**
 * node-llama-cpp. It embeds one text a call and context, so what can be tried is one context on all
 * threads, or as many contexts as threads, each on one.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
const entry = join(folder, "node_modules/node-llama-cpp/dist/index.js");
const { getLlama } = await import(pathToFileURL(entry).href);

const TUNING_RUNS = 3;
/** Room in a context for so many tokens: as few as the texts need, in steps. */
const TOKENS_STEP = 64;

const models = new Map();
const cases = new Map();
const llama = await getLlama({ gpu: false, build: "never", logLevel: "disabled" });

/** One way to share the work: so many contexts of so many threads. */
async function makeCase(model, ids, contexts, threads) {
  const longest = Math.max(...ids.map((text) => text.length));
  const contextSize = (Math.floor(longest / TOKENS_STEP) + 1) * TOKENS_STEP;
  const options = { contextSize, batchSize: contextSize, threads };
  const own = [];
  for (let i = 0; i < contexts; i++) own.push(await model.createEmbeddingContext(options));
  return {
    name: `${contexts} contexts of ${threads} threads`,
    vectors: [],
    contexts: own,
    async run() {
      const start = performance.now();
      let next = 0;
      const work = async (context) => {
        while (next < ids.length) {
          const text = next++;
          this.vectors[text] = (await context.getEmbeddingFor(ids[text])).vector;
        }
      };
      await Promise.all(own.map(work));
      return (performance.now() - start) / 1000;
    },
  };
}

async function free({ contexts }) {
  for (const context of contexts) await context.dispose();
}

async function bestCase(model, ids, threads) {
  const ways = [[1, threads]];
  if (threads > 1 && ids.length > 1) ways.push([threads, 1]);
  let best;
  let least = Number.POSITIVE_INFINITY;
  for (const [contexts, each] of ways) {
    const candidate = await makeCase(model, ids, contexts, each);
    let seconds = Number.POSITIVE_INFINITY;
    for (let i = 0; i < TUNING_RUNS; i++) seconds = Math.min(seconds, await candidate.run());
    const loser = seconds < least ? best : candidate;
    if (seconds < least) [best, least] = [candidate, seconds];
    if (loser !== undefined) await free(loser);
  }
  return best;
}

function encodeVector(vector) {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  const values = Float32Array.from(vector, (value) => value / length);
  return Buffer.from(values.buffer).toString("base64");
}

const operations = {
  async load({ model }) {
    if (!models.has(model)) models.set(model, await llama.loadModel({ modelPath: model }));
    return {};
  },
  async prepare({ case: id, model, threads, ids }) {
    cases.set(id, await bestCase(models.get(model), ids, threads));
    return { settings: cases.get(id).name };
  },
  async run({ case: id, times }) {
    const seconds = [];
    for (let i = 0; i < times; i++) seconds.push(await cases.get(id).run());
    return { seconds };
  },
  async vectors({ case: id }) {
    return { vectors: cases.get(id).vectors.map(encodeVector) };
  },
  async release({ case: id }) {
    await free(cases.get(id));
    cases.delete(id);
    return {};
  },
};

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

say({
  name: process.env.PEER_NAME,
  build: process.env.PEER_BUILD,
  system: `Node ${process.version}, ${llama.systemInfo}`,
  arithmetic: "int8",
  loadings: ["as it chooses"],
});
for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...request } = JSON.parse(line);
  say(await operations[op](request).catch((error) => ({ error: error.message })));
}
process.exit(0);
