import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Vector } from "./math.ts";

/**
 * Reference tokens and embeddings that lie beside the repository on the machines that have them.
 */
const SHARED = fileURLToPath(new URL("../../../shared/", import.meta.url));

export const hasShared = existsSync(SHARED);
/** For the name of a test that needs `../shared`. */
export const sharedNote = hasShared ? "" : " (skipped: ../shared is not there)";

export function sharedPath(path: string): string {
  return SHARED + path;
}

export interface GoldenText {
  readonly text: string;
  /** Special tokens included. */
  readonly ids: readonly number[];
  /** L2-normalised. */
  readonly embedding: Float32Array;
}

/** The lines of `../shared/golden/<name>.jsonl` that have embeddings. */
export function readGolden(name: string): GoldenText[] {
  const lines = readFileSync(sharedPath(`golden/${name}.jsonl`), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const { text, ids, embedding } = JSON.parse(line);
    return { text, ids, embedding: new Float32Array(Uint8Array.fromBase64(embedding).buffer) };
  });
}

/** The texts and ids of `../shared/golden/<name>.jsonl`, whatever else its lines have. */
export function readTokens(name: string): Pick<GoldenText, "text" | "ids">[] {
  const lines = readFileSync(sharedPath(`golden/${name}.jsonl`), "utf8");
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

export interface Distance {
  readonly max: number;
  readonly rms: number;
}

/** Over all components of all vectors. */
export function distance(found: readonly Vector[], expected: readonly Vector[]): Distance {
  let max = 0;
  let squares = 0;
  let count = 0;
  for (const [i, vector] of expected.entries()) {
    if (found[i]?.length !== vector.length) throw new Error(`vector ${i} has another length`);
    for (const [c, value] of vector.entries()) {
      const difference = Math.abs(value - found[i][c]!);
      // Not Math.max, which a NaN would pass by.
      if (!(difference <= max)) max = difference;
      squares += difference ** 2;
      count++;
    }
  }
  return { max, rms: Math.sqrt(squares / count) };
}
