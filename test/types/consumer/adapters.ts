/**
 * A program of somebody who uses the adapters: calls every function and class of theirs, and
 * compiles only if the frameworks take what they give. Its argument is a model file.
 */
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import type { EmbeddingsInterface } from "@langchain/core/embeddings";
import { type BaseEmbedding, similarity } from "@llamaindex/core/embeddings";
import { embed, embedMany } from "ai";
import { type EmbeddingFunction, getEmbeddingFunction, registerEmbeddingFunction } from "chromadb";
import { open } from "ggufembed";
import {
  createGgufEmbed,
  type GgufCallOptions,
  type GgufEmbeddingModel,
  ggufEmbeddingModel,
} from "ggufembed/ai-sdk";
import { type ChromaConfig, GgufEmbeddingFunction } from "ggufembed/chroma";
import { GgufEmbeddings } from "ggufembed/langchain";
import { GgufEmbedding, type RetrievalOptions } from "ggufembed/llamaindex";
import {
  clearQueue,
  collectResults,
  type EnqueueReport,
  enqueue,
  type FailedBatch,
  failedTexts,
  type QueueStatus,
  type QueueWorker,
  queueDone,
  queueStatus,
  retryFailed,
  startWorker,
} from "ggufembed/queue";
import { expectType } from "./assert.ts";

const path = process.argv[2] ?? "";
await using model = await open(path, { threads: 1, offline: true });
// Options may be undefined, under exactOptionalPropertyTypes too.
const options: RetrievalOptions = {
  model,
  open: undefined,
  queryTask: null,
  dimensions: undefined,
};
const lengths: number[] = [];

async function aiSdk(): Promise<void> {
  const own = ggufEmbeddingModel({ model, task: "document" });
  expectType<GgufEmbeddingModel>()(own);
  const task: GgufCallOptions = { task: "query" };
  const { embedding } = await embed({
    model: own,
    value: "one",
    providerOptions: { ggufembed: task },
  });
  expectType<number[]>()(embedding);
  await using provider = createGgufEmbed({ models: { notes: path }, open: { threads: 1 } });
  const { embeddings } = await embedMany({
    model: provider.embedding("notes", { dimensions: 16, truncate: "end" }),
    values: ["one", "two"],
  });
  lengths.push(embedding.length, embeddings[1]?.length ?? 0);
}

async function langchain(): Promise<void> {
  await using embeddings = new GgufEmbeddings({ model: path, maxConcurrency: 1 });
  const taken: EmbeddingsInterface = embeddings;
  const store = await MemoryVectorStore.fromTexts(["one", "two"], [{}, {}], embeddings);
  lengths.push((await taken.embedQuery("one")).length, store.memoryVectors.length);
}

async function llamaindex(): Promise<void> {
  const embedding: BaseEmbedding = new GgufEmbedding({ ...options, embedBatchSize: 1 });
  const [one = [], two = []] = await embedding.getTextEmbeddingsBatch(["one", "two"]);
  lengths.push(one.length, similarity(one, two) < 1 ? 1 : 0);
}

async function chroma(): Promise<void> {
  const embeddingFunction: EmbeddingFunction = new GgufEmbeddingFunction(options);
  lengths.push((await embeddingFunction.generate(["one"]))[0]?.length ?? 0);
  registerEmbeddingFunction("another", GgufEmbeddingFunction);
  const config: ChromaConfig = { model: path };
  expectType<GgufEmbeddingFunction>()(GgufEmbeddingFunction.buildFromConfig(config));
  expectType<Promise<EmbeddingFunction | undefined>>()(getEmbeddingFunction({} as never));
}

/** Compiled only: it would need a Redis. */
export async function queue(): Promise<void> {
  const place = { redis: undefined, queue: "notes" };
  const texts = new Set([{ id: "a", text: "one", fields: undefined }]);
  expectType<EnqueueReport>()(await enqueue(texts, { ...place, run: "notes", task: null }));
  const worker = await startWorker({ ...place, model, results: "jsonl:vectors" });
  expectType<QueueWorker>()(worker);
  expectType<QueueStatus>()(await queueDone({ ...place, onProgress: ({ done }) => done }));
  expectType<QueueStatus>()(await queueStatus(place));
  for await (const batch of failedTexts(place)) expectType<FailedBatch>()(batch);
  expectType<number>()(await retryFailed({ ...place, truncate: "end" }));
  for await (const lines of collectResults("vectors")) expectType<string>()(lines);
  await worker.close({ giveBack: true });
  expectType<void>()(await worker.ended);
  await clearQueue(place);
  // @ts-expect-error: a text has an id
  await enqueue(["one"], { run: "notes" });
}

/** Compiled only: each of these must be refused. */
export function wrong(): void {
  // @ts-expect-error: it wants a model
  new GgufEmbeddings({});
  // @ts-expect-error: nor is a number one
  new GgufEmbedding({ model: 1 });
  // @ts-expect-error: there is no such way to truncate
  ggufEmbeddingModel({ model, truncate: true });
  // @ts-expect-error: nor such an option
  new GgufEmbeddingFunction({ model, tusk: "query" });
}

await aiSdk();
await langchain();
await llamaindex();
await chroma();
console.log(lengths.join());
