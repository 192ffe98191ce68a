/** A worker's time counts only when its vectors are right. */
import { join } from "node:path";
import { distance, type GoldenText, hasShared, readGolden } from "../../test/reference/golden.ts";
import { type Arithmetic, decodeVector, type Operations } from "./protocol.ts";
import type { Worker } from "./worker.ts";

export type ModelName = "gemma" | "minilm";
/** References that we keep: of the models, and of the small one. */
type Sample = ModelName | "mini";

export interface Accuracy {
  /** Over all components of all reference vectors. */
  readonly rms: number;
  readonly max: number;
  /** Of the text that is farthest off. */
  readonly cosineMin: number;
}

/** What rounding may cost; with bytes, llama.cpp's own figures are well within. */
const TOLERANCES: Readonly<Record<Arithmetic, Pick<Accuracy, "cosineMin" | "rms">>> = {
  int8: { cosineMin: 0.995, rms: 0.003 },
  float32: { cosineMin: 0.99999, rms: 1e-5 },
};
/** What two workers may differ by on one text: each may be off to its own side. */
const AGREEMENT_MIN = 0.99;

/** Reference vectors in float64, a sample of those that the tests use. */
async function readSample(sample: Sample): Promise<GoldenText[]> {
  const text = await Bun.file(join(import.meta.dir, "golden", `${sample}.jsonl`)).text();
  const lines = text.trim().split("\n");
  return lines.map((line) => {
    const { embedding, ...rest } = JSON.parse(line);
    return { ...rest, embedding: decodeVector(embedding) };
  });
}

/** All references of a model, if they lie beside the checkout; else the sample of them. */
export async function readReferences(sample: Sample): Promise<readonly GoldenText[]> {
  return sample === "gemma" && hasShared ? readGolden("embeddinggemma-synth") : readSample(sample);
}

/** The small model has references of its own. */
export function sampleOf(model: ModelName, isTiny: boolean): Sample {
  return isTiny && model === "gemma" ? "mini" : model;
}

/** Embeds the references' texts, with a model that the worker has loaded so. */
export async function measureAccuracy(
  worker: Worker,
  golden: readonly GoldenText[],
  loaded: Operations["load"][0],
): Promise<Accuracy> {
  const of = { case: "check" };
  const texts = golden.map(({ text }) => text);
  await worker.ask("prepare", { ...of, ...loaded, texts, ids: golden.map(({ ids }) => ids) });
  await worker.ask("run", { ...of, times: 1 });
  const found = (await worker.ask("vectors", of)).vectors.map(decodeVector);
  await worker.ask("release", of);
  const expected = golden.map(({ embedding }) => embedding);
  return { ...distance(found, expected), cosineMin: cosineMin(found, expected) };
}

/** Throws when the vectors are not those of the model. */
export async function checkWorker(
  worker: Worker,
  sample: Sample,
  loaded: Operations["load"][0],
): Promise<Accuracy> {
  const accuracy = await measureAccuracy(worker, await readSample(sample), loaded);
  const asked = TOLERANCES[worker.ready.arithmetic];
  // Written so that a NaN is refused too.
  if (accuracy.cosineMin >= asked.cosineMin && accuracy.rms <= asked.rms) return accuracy;
  throw new Error(
    `${worker.ready.name} is wrong on ${sample}: cosine ${accuracy.cosineMin.toFixed(5)}, rms ` +
      `${accuracy.rms.toExponential(2)}; at least ${asked.cosineMin} and at most ${asked.rms} ` +
      "are asked",
  );
}

/** Throws unless two workers' vectors of one case say the same. Returns the lowest cosine. */
export function checkAgreement(
  name: string,
  found: readonly Float32Array[],
  ours: readonly Float32Array[],
): number {
  const cosine = found.length === ours.length ? cosineMin(found, ours) : Number.NaN;
  if (cosine >= AGREEMENT_MIN) return cosine;
  throw new Error(`${name} disagrees: cosine ${cosine.toFixed(5)}, not ${AGREEMENT_MIN}`);
}

/** Throws unless two tokenizers gave the same ids for every text. */
export function checkSameIds(
  name: string,
  found: readonly Int32Array[],
  ours: readonly Int32Array[],
): void {
  const isSame = (ids: Int32Array, i: number) =>
    ids.length === ours[i]?.length && ids.every((id, at) => id === ours[i]![at]);
  const other = found.length === ours.length ? found.findIndex((ids, i) => !isSame(ids, i)) : 0;
  if (other !== -1) throw new Error(`${name} has other ids than ours for text ${other}`);
}

function cosineMin(found: readonly Float32Array[], expected: readonly Float32Array[]): number {
  return Math.min(...found.map((vector, i) => cosine(vector, expected[i])));
}

function cosine(a: Float32Array, b: Float32Array | undefined): number {
  if (a.length !== b?.length) return Number.NaN;
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (const [i, value] of a.entries()) {
    dot += value * b[i]!;
    aa += value * value;
    bb += b[i]! * b[i]!;
  }
  return dot / Math.sqrt(aa * bb);
}
