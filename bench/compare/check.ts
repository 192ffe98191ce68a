/** A worker's time counts only when its vectors are right. */
import { join } from "node:path";
import { distance } from "../../test/reference/golden.ts";
import { decodeVector } from "./protocol.ts";
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

/** What 8-bit weights and activations may cost; llama.cpp's own figures are well within. */
const COSINE_MIN = 0.995;
const RMS_MAX = 0.003;
/** What two workers may differ by on one text: each may be off to its own side. */
const AGREEMENT_MIN = 0.99;

interface Golden {
  readonly text: string;
  readonly ids: readonly number[];
  readonly embedding: string;
}

/** Reference vectors in float64, a sample of those that the tests use. */
async function readSample(model: Sample): Promise<Golden[]> {
  const text = await Bun.file(join(import.meta.dir, "golden", `${model}.jsonl`)).text();
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Embeds the sample. Throws when the vectors are not those of the model. */
export async function checkWorker(
  worker: Worker,
  model: Sample,
  path: string,
  threads: number,
): Promise<Accuracy> {
  const sample = await readSample(model);
  const request = { case: "check", model: path, threads };
  await worker.ask("prepare", {
    ...request,
    texts: sample.map(({ text }) => text),
    ids: sample.map(({ ids }) => ids),
  });
  await worker.ask("run", { case: "check", times: 1 });
  const { vectors } = await worker.ask("vectors", { case: "check" });
  await worker.ask("release", { case: "check" });
  const found = vectors.map(decodeVector);
  const expected = sample.map(({ embedding }) => decodeVector(embedding));
  const accuracy = { ...distance(found, expected), cosineMin: cosineMin(found, expected) };
  // Written so that a NaN is refused too.
  if (!(accuracy.cosineMin >= COSINE_MIN && accuracy.rms <= RMS_MAX)) {
    throw new Error(
      `${worker.ready.name} is wrong on ${model}: cosine ${accuracy.cosineMin.toFixed(5)}, ` +
        `rms ${accuracy.rms.toFixed(5)}; at least ${COSINE_MIN} and at most ${RMS_MAX} are asked`,
    );
  }
  return accuracy;
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
