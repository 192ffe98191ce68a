import {
  type Embedder,
  type Encoding,
  rank,
  type ScaledVector,
  similarity,
} from "../../src/index.ts";
import type { EvalSet, Language } from "./data.ts";
import { ndcg } from "./metrics.ts";
import { directionsOf, makeTask, type Task } from "./tasks.ts";
import { embedSet, encodeSet, type SetVectors } from "./vectors.ts";

/** How the vectors of a model are used. */
export interface Setting {
  readonly dimensions: number;
  readonly encoding: Encoding;
}

/** What a model made of a task. */
export interface TaskResult {
  readonly task: Task;
  /** `[queries]` */
  readonly ndcg: readonly number[];
  /** `[pairs]` */
  readonly cosines: readonly number[];
}

export interface SettingResult extends Setting {
  readonly tasks: readonly TaskResult[];
}

export interface Scope {
  readonly set: EvalSet;
  readonly languages: readonly Language[];
  /** Those that a model does not have are left out. */
  readonly dimensions: readonly number[];
  readonly encodings: readonly Encoding[];
}

/** One setting after another, all components first. */
export async function* measureModel(model: Embedder, scope: Scope): AsyncGenerator<SettingResult> {
  const tasks = directionsOf(scope.languages).map((direction) => makeTask(scope.set, direction));
  const { embeddingSize } = model.config;
  const fewer = scope.dimensions.filter((count) => count < embeddingSize);
  for (const dimensions of [embeddingSize, ...fewer]) {
    const vectors = await embedSet(model, scope.set, scope.languages, dimensions);
    for (const encoding of scope.encodings) {
      const encoded = encodeSet(vectors, encoding);
      const results: TaskResult[] = [];
      for (const task of tasks) results.push(await runTask(task, encoded));
      yield { dimensions, encoding, tasks: results };
    }
  }
}

async function runTask(task: Task, vectors: SetVectors): Promise<TaskResult> {
  const { from, to, retrieval, similarity: compared } = task;
  const take = (rows: SetVectors["queries"], indices: readonly number[], language: Language) =>
    indices.map((index): ScaledVector => rows[index]![language]!);
  const rankings = await rank(
    take(vectors.queries, retrieval.queries, from),
    take(vectors.passages, retrieval.passages, to),
  );
  const firsts = take(vectors.firsts, compared.pairs, from);
  const seconds = take(vectors.seconds, compared.pairs, to);
  return {
    task,
    ndcg: rankings.map((matches, query) => {
      const gains = retrieval.gains[query]!;
      return ndcg(
        matches.map(({ score }) => score),
        matches.map(({ index }) => gains[index]!),
      );
    }),
    cosines: firsts.map((first, pair) => similarity(first, seconds[pair]!)),
  };
}
