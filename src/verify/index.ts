import type { Embedder, LayerFingerprint } from "../types.ts";
import {
  findPublished,
  type PublishedFigure,
  type PublishedModel,
  type PublishedText,
  toleranceFor,
} from "./published.ts";

/** A published figure beside what the model gives here. */
export interface FigureCheck extends PublishedFigure {
  /** Cosine similarity of the two embeddings. */
  readonly measured: number;
  /** Largest accepted distance from the published figure. */
  readonly tolerance: number;
  /** Whether `measured` is within `tolerance`. */
  readonly passed: boolean;
}

/** What a model gives, beside what its authors publish. */
export interface VerifyReport {
  /** `unknown` when no figures are known for the model. */
  readonly status: "pass" | "fail" | "unknown";
  /** The published model that this one was taken for. */
  readonly model?: string;
  /** Where the figures are published. */
  readonly source?: string;
  /** None where `status` is `unknown`. */
  readonly figures: readonly FigureCheck[];
  /** The text whose way through the layers `layers` tells. */
  readonly layersText: string;
  /**
   * Equal on every machine that runs the same file and version; where two differ, the first layer
   * that does tells where to look.
   */
  readonly layers: readonly LayerFingerprint[];
}

/** Common words, so that every vocabulary cuts it into ordinary tokens. */
const FINGERPRINT_TEXT = "The quick brown fox jumps over the lazy dog.";

/**
 * Checks an open model against the similarities that its authors publish: tokenizer, prompts,
 * weights, pooling and engine in one go. Fingerprints its layers, whoever made it.
 */
export async function verifyModel(embedder: Embedder): Promise<VerifyReport> {
  const { config } = embedder;
  const layers = await embedder.fingerprintLayers(FINGERPRINT_TEXT);
  const fingerprint = { layersText: FINGERPRINT_TEXT, layers };
  const model = findPublished(config);
  // Similarities are of texts: vectors of tokens have none.
  if (model === undefined || config.pooling === "none") {
    return { status: "unknown", figures: [], ...fingerprint };
  }
  const figures = await checkFigures(embedder, model);
  const status = figures.every(({ passed }) => passed) ? "pass" : "fail";
  return { status, model: model.name, source: model.source, figures, ...fingerprint };
}

async function checkFigures(embedder: Embedder, model: PublishedModel): Promise<FigureCheck[]> {
  const embeddings = new Map<PublishedText, Float32Array>();
  for (const text of new Set(model.figures.flatMap(({ a, b }) => [a, b]))) {
    const options = { task: text.task, normalize: true };
    embeddings.set(text, (await embedder.embed(text.text, options)).embedding);
  }
  const tolerance = toleranceFor(embedder.config.weightType);
  return model.figures.map((figure) => {
    const measured = dot(embeddings.get(figure.a)!, embeddings.get(figure.b)!);
    // A NaN does not pass.
    const passed = Math.abs(measured - figure.similarity) <= tolerance;
    return { ...figure, measured, tolerance, passed };
  });
}

/** In float64; the cosine of unit vectors. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
