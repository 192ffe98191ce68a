import type { Embedder } from "../types.ts";
import type { IndexHit } from "./types.ts";

/** Chunks that the second stage reads at least: what the first ranks lower is hardly ever best. */
export const RERANKED_MIN = 50;

/** Hits in the order of a reranker, which reads query and chunk together; its score is theirs. */
export async function rerankHits(
  reranker: Embedder,
  query: string,
  hits: readonly IndexHit[],
  limit: number,
  signal: AbortSignal | undefined,
): Promise<IndexHit[]> {
  const texts = hits.map(({ text }) => text);
  const ranking = await reranker.rerank(query, texts, { topN: limit, signal });
  return ranking.map(({ index, score }) => ({ ...hits[index]!, score }));
}
