import type { Embedder } from "../../src/index.ts";

export const CLIENTS = 64;

/** What a measure has to work with. */
export interface Scene {
  /** Path of the GGUF file. */
  readonly model: string;
  readonly embedder: Embedder;
  readonly texts: readonly string[];
  /** A folder for what the measure writes. */
  readonly folder: string;
  readonly tiny: boolean;
}

/** The library's own batches of as many texts as there are clients. */
export async function textsPerSecond({ embedder, texts }: Scene, seconds: number): Promise<number> {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < seconds * 1000) {
    await embedder.embed(texts.slice(0, CLIENTS));
    count += CLIENTS;
  }
  return (count / (performance.now() - start)) * 1000;
}
