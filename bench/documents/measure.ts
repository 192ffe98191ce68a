import type { Embedder, IndexHit, IndexSearchOptions, SearchIndex } from "../../src/index.ts";
import { quantile } from "../compare/statistics.ts";

const K = 10;

export interface Latency {
  readonly p50: number;
  readonly p95: number;
}

/** Milliseconds of a search each, one after another. */
export async function latencyOf(
  index: SearchIndex,
  queries: readonly string[],
  options: IndexSearchOptions,
): Promise<Latency> {
  const times: number[] = [];
  for (const query of queries) {
    const start = performance.now();
    await index.search(query, { limit: K, ...options });
    times.push(performance.now() - start);
  }
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
}

/** Of the ten that comparing all vectors finds, the share that is found without. */
export async function recallOf(index: SearchIndex, queries: readonly string[]): Promise<number> {
  const key = ({ id, start }: IndexHit) => `${start} ${id}`;
  let found = 0;
  let wanted = 0;
  for (const query of queries) {
    const exact = await index.search(query, { mode: "vector", limit: K, exact: true });
    const fast = await index.search(query, { mode: "vector", limit: K });
    const best = new Set(exact.map(key));
    wanted += best.size;
    found += fast.filter((hit) => best.has(key(hit))).length;
  }
  return found / wanted;
}

export interface Pace {
  /** Tokens a second through the model alone, and into an index. */
  readonly model: number;
  readonly index: number;
}

/** The same chunks through the model alone and into an empty index. */
export async function paceOf(
  model: Embedder,
  index: SearchIndex,
  documents: readonly { readonly id: string; readonly text: string }[],
  maxTokens: number,
): Promise<Pace> {
  const chunks: string[] = [];
  const seen = new Set<string>();
  for (const { text } of documents) {
    for await (const chunk of model.chunk(text, { maxTokens })) {
      if (!seen.has(chunk.text)) chunks.push(chunk.text);
      seen.add(chunk.text);
    }
  }
  const start = performance.now();
  let tokens = 0;
  for (const { tokens: some } of await model.embed(chunks)) tokens += some;
  const between = performance.now();
  const report = await index.add(documents);
  const end = performance.now();
  const perSecond = (count: number, ms: number) => (count / ms) * 1000;
  return {
    model: perSecond(tokens, between - start),
    index: perSecond(report.tokens, end - between),
  };
}
