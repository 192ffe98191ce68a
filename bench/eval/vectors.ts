/** All texts of the set as vectors of one model, in one number of dimensions. */
import { type Embedder, type Encoding, encodeVectors, type ScaledVector } from "../../src/index.ts";
import { type EvalSet, LANGUAGES, type Language, type Texts } from "./data.ts";

/** By language; those that are not wanted, or that a text does not have, are `undefined`. */
type VectorsOf = Readonly<Partial<Record<Language, ScaledVector>>>;

export interface SetVectors {
  readonly passages: readonly VectorsOf[];
  readonly queries: readonly VectorsOf[];
  readonly firsts: readonly VectorsOf[];
  readonly seconds: readonly VectorsOf[];
}

/** The model's own tasks for the two ends of a search and for sentences that are compared. */
export interface ModelTasks {
  readonly query: string | undefined;
  readonly document: string | undefined;
  readonly similarity: string | undefined;
}

/** A model without a prompt for similarity sees sentences as it sees documents. */
export function tasksOf({ tasks }: Pick<Embedder, "tasks">): ModelTasks {
  const first = (...names: string[]) => names.find((name) => tasks.includes(name));
  return {
    query: first("query"),
    document: first("document"),
    similarity: first("sentence_similarity", "document"),
  };
}

export async function embedSet(
  model: Embedder,
  set: EvalSet,
  languages: readonly Language[],
  dimensions: number,
): Promise<SetVectors> {
  const tasks = tasksOf(model);
  return {
    passages: await embedAll(
      set.passages.map(({ text }) => text),
      tasks.document,
    ),
    queries: await embedAll(
      set.queries.map(({ text }) => text),
      tasks.query,
    ),
    firsts: await embedAll(
      set.pairs.map(({ first }) => first),
      tasks.similarity,
    ),
    seconds: await embedAll(
      set.pairs.map(({ second }) => second),
      tasks.similarity,
    ),
  };

  async function embedAll(rows: readonly Texts[], task: string | undefined): Promise<VectorsOf[]> {
    const found = rows.map((): Partial<Record<Language, ScaledVector>> => ({}));
    for (const language of languages) {
      const places = [...rows.keys()].filter((index) => rows[index]![language] !== undefined);
      const texts = places.map((index) => rows[index]![language]!);
      const results = await model.embed(texts, { task, dimensions });
      for (const [at, index] of places.entries()) found[index]![language] = results[at]!;
    }
    return found;
  }
}

/** The same vectors in another encoding: bit for bit what `embed` gives for it. */
export function encodeSet(vectors: SetVectors, encoding: Encoding): SetVectors {
  if (encoding === "float32") return vectors;
  const encodeAll = (rows: readonly VectorsOf[]) =>
    rows.map((row) => {
      const encoded: Partial<Record<Language, ScaledVector>> = {};
      for (const language of LANGUAGES) {
        const vector = row[language];
        if (vector !== undefined) encoded[language] = encode(vector, encoding);
      }
      return encoded;
    });
  return {
    passages: encodeAll(vectors.passages),
    queries: encodeAll(vectors.queries),
    firsts: encodeAll(vectors.firsts),
    seconds: encodeAll(vectors.seconds),
  };
}

function encode({ embedding }: ScaledVector, encoding: "int8" | "binary"): ScaledVector {
  if (!(embedding instanceof Float32Array)) throw new Error("these vectors are encoded already");
  const { data, scales } = encodeVectors(embedding, embedding.length, encoding);
  return { embedding: data, scale: scales[0] };
}
